using LocalPlus.Hosting;

namespace LocalPlus.Notification.Bounces;

/// <summary>What is heard of mails after they were handed over.</summary>
internal static class BouncesFeature
{
    /// <summary>How long it is known that a report was taken, and what it said.</summary>
    private static readonly TimeSpan ReportLife = TimeSpan.FromDays(90);

    public static void AddBounces(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<SentTokens>();
        services.AddSingleton<MailReports>();
        services.AddSingleton(new Chore("notification_reports", ReportLife, MailReports.Sql.Forget));
        services.AddJob<ReadBounceMailbox>("bounce-mailbox");
    }
}
