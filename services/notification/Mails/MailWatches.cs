using LocalPlus.Hosting;

namespace LocalPlus.Notification.Mails;

/// <summary>How long the queue of messages is, and what came to lie beside it.</summary>
internal static class MailWatches
{
    public static void AddMailWatches(this IServiceCollection services)
    {
        services.AddSingleton(new Watch(Telemetry.Waiting, Sql.Waiting));
        services.AddSingleton(new Watch(Telemetry.Dead, Sql.Dead));
    }

    private static class Sql
    {
        public const string Waiting = "SELECT count(notification_id) FROM notifications WHERE state = 'pending'";

        public const string Dead = "SELECT count(notification_id) FROM notifications WHERE state = 'dead'";
    }
}
