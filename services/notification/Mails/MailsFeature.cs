using LocalPlus.Hosting;
using LocalPlus.Notification.Bounces;
using LocalPlus.Notification.Templates;

namespace LocalPlus.Notification.Mails;

/// <summary>What sends messages, how long their queue is, and what is heard of mails later.</summary>
internal static class MailsFeature
{
    public static void AddMails(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton(all => new Recipients(
            PeerClient.Create(all, "wallet"),
            PeerClient.Create(all, "merchant")
        ));
        services.AddSingleton(all => new CardDeliveries(PeerClient.Create(all, "giftcard")));
        // Made when the sender starts: a migration has no mail server, and needs none.
        services.AddSingleton(_ => new MailServer(MailSettings.Of(builder.Configuration)));
        services.AddSingleton<SmsBinding>();
        services.AddSingleton<TemplateStore>();
        services.AddSingleton<MessageDispatch>();
        services.AddHostedService<MailSender>();
        builder.AddBounces();
        services.AddSingleton(new Watch(Telemetry.Waiting, Sql.Waiting));
        services.AddSingleton(new Watch(Telemetry.Dead, Sql.Dead));
    }

    private static class Sql
    {
        // What waits for a morning or a limit is not late.
        public const string Waiting = """
            SELECT count(notification_id)
              FROM notifications
             WHERE state = 'pending'
               AND COALESCE(last_error, '') NOT IN ('quiet_hours', 'recipient_throttled', 'merchant_throttled')
            """;

        public const string Dead = "SELECT count(notification_id) FROM notifications WHERE state = 'dead'";
    }
}
