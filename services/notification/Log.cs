using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>The notification service's log events, ids 5000-5999. Ids only: no address, no name.</summary>
internal static partial class Log
{
    [LoggerMessage(5000, LogLevel.Information, "{NotificationId} sent", EventName = "notification.sent")]
    public static partial void Sent(this ILogger log, NotificationId notificationId);

    [LoggerMessage(5001, LogLevel.Information, "{NotificationId} skipped: {Code}", EventName = "notification.skipped")]
    public static partial void Skipped(this ILogger log, NotificationId notificationId, string code);

    [LoggerMessage(
        5002,
        LogLevel.Warning,
        "{NotificationId} failed: {Code} ({Cause}), attempt {Attempt}",
        EventName = "notification.failed"
    )]
    public static partial void Failed(
        this ILogger log,
        NotificationId notificationId,
        string code,
        int attempt,
        string cause
    );

    [LoggerMessage(5003, LogLevel.Error, "{NotificationId} given up: {Code}", EventName = "notification.dead")]
    public static partial void GivenUp(this ILogger log, NotificationId notificationId, string code);

    [LoggerMessage(5004, LogLevel.Warning, "the mail sender stumbled", EventName = "notification.sender.stumbled")]
    public static partial void SenderStumbled(this ILogger log, Exception exception);

    [LoggerMessage(
        5005,
        LogLevel.Information,
        "{NotificationId} deferred: {Code}",
        EventName = "notification.deferred"
    )]
    public static partial void Deferred(this ILogger log, NotificationId notificationId, string code);

    [LoggerMessage(
        5006,
        LogLevel.Warning,
        "{NotificationId} is sent by the default: {MerchantId}'s template for {Kind} can not be rendered ({Cause})",
        EventName = "notification.template.failed"
    )]
    public static partial void TemplateFailed(
        this ILogger log,
        NotificationId notificationId,
        MerchantId merchantId,
        string kind,
        string cause
    );

    [LoggerMessage(
        5007,
        LogLevel.Information,
        "a reader of {MerchantId} wants no more {Kind}",
        EventName = "notification.unsubscribed"
    )]
    public static partial void Unsubscribed(this ILogger log, MerchantId merchantId, string kind);

    [LoggerMessage(
        5008,
        LogLevel.Information,
        "no bounce mailbox is named by LP_BOUNCE_SERVER",
        EventName = "notification.bounces.off"
    )]
    public static partial void NoBounceMailbox(this ILogger log);

    [LoggerMessage(
        5009,
        LogLevel.Information,
        "bounce mailbox read: {Noted} reports noted, {Unmatched} mails put aside, {Left} left",
        EventName = "notification.bounces.read"
    )]
    public static partial void BounceMailboxRead(this ILogger log, int noted, int unmatched, int left);

    [LoggerMessage(
        5010,
        LogLevel.Information,
        "{NotificationId} queued again by hand",
        EventName = "notification.resent"
    )]
    public static partial void Resent(this ILogger log, NotificationId notificationId);

    [LoggerMessage(
        5020,
        LogLevel.Information,
        "{EventId} given up at {WebhookId}: {Code}",
        EventName = "notification.webhook.given_up"
    )]
    public static partial void WebhookGivenUp(
        this ILogger log,
        Kernel.EventId eventId,
        WebhookId webhookId,
        string code
    );

    [LoggerMessage(5021, LogLevel.Warning, "{WebhookId} disabled: {Code}", EventName = "notification.webhook.disabled")]
    public static partial void WebhookDisabled(this ILogger log, WebhookId webhookId, string code);

    [LoggerMessage(5022, LogLevel.Warning, "the webhook sender stumbled", EventName = "notification.webhooks.stumbled")]
    public static partial void WebhooksStumbled(this ILogger log, Exception exception);
}
