using LocalPlus.Hosting;

namespace LocalPlus.Notification.Mails;

/// <summary>The mails that are sent: whoever gets them, the queue and its sender, and how long it is.</summary>
internal static class MailsFeature
{
    public static void AddMails(this IServiceCollection services)
    {
        services.AddSingleton(_ => new Recipients(PeerClient.Create("wallet"), PeerClient.Create("merchant")));
        services.AddSingleton(_ => new CardDeliveries(PeerClient.Create("giftcard")));
        services.AddSingleton<SmtpBinding>();
        services.AddHostedService<MailSender>();
        services.AddSingleton(new Watch(Telemetry.Waiting, Sql.Waiting));
        services.AddSingleton(new Watch(Telemetry.Dead, Sql.Dead));
    }

    private static class Sql
    {
        public const string Waiting = "SELECT count(notification_id) FROM notifications WHERE state = 'pending'";

        public const string Dead = "SELECT count(notification_id) FROM notifications WHERE state = 'dead'";
    }
}
