namespace LocalPlus.Notification.Templates;

/// <summary>
/// What a message of one kind says in one language: Liquid in each part. The text is the same message for whoever does
/// not look at HTML; without an SMS the kind is not sent that way.
/// </summary>
internal sealed record TemplateText(string Subject, string Html, string Text, string? Sms = null);
