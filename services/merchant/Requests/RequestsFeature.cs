using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Requests;

/// <summary>
/// The log of merchants' requests to all services: each tells by a topic of its own what it answered, and here it is
/// kept for 30 days (ADR 0059).
/// </summary>
internal static class RequestsFeature
{
    private const string Topic = "merchant.requests.v1";

    /// <summary>The topics that are gathered, this service's own among them.</summary>
    private static readonly string[] Topics =
    [
        "analytics.requests.v1",
        "giftcard.requests.v1",
        "ledger.requests.v1",
        Topic,
        "notification.requests.v1",
        "wallet.requests.v1",
    ];

    public static void AddRequestLog(this IServiceCollection services) => services.AddRequestLog(Topic);

    public static void MapRequestLog(this WebApplication app)
    {
        app.MapMerchantApi().MapListRequests().MapGetRequest();
        var events = app.MapEvents();
        foreach (var topic in Topics)
        {
            var service = topic[..topic.IndexOf('.', StringComparison.Ordinal)];
            events.MapEvents<RequestBatch>(
                topic,
                (batches, db, _) => KeptRequests.KeepAsync(db, service, batches),
                Repeats.AreHarmless
            );
        }
    }
}
