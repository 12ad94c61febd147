namespace LocalPlus.Console.Api;

// What a shop writes to its customers, as its pages show it.

public sealed record TemplateSummary(
    string Kind,
    string Locale,
    bool IsDefault,
    long Version,
    DateTimeOffset? UpdatedAt
);

/// <param name="Variables">The names that may stand in it.</param>
public sealed record MessageTemplate(
    string Kind,
    string Locale,
    bool IsDefault,
    string Subject,
    string Html,
    string Text,
    string? Sms,
    IReadOnlyList<string> Variables,
    long Version,
    DateTimeOffset? UpdatedAt
);

public sealed record TemplatePreview(string Subject, string Html, string Text, string? Sms);
