using LocalPlus.Hosting;
using LocalPlus.Kernel;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Events;

/// <summary>GET /v1/events/{id}: one event of the last 30 days. Refusals: not_found.</summary>
internal static class GetEvent
{
    public static IEndpointRouteBuilder MapGetEvent(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/events/{id}", HandleAsync)
            .RequireScope("events:read")
            .WithName(nameof(GetEvent))
            .Produces<MerchantEvent>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        EventId id,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new { EventId = id, http.GetMerchant().MerchantId };
        return await database.QuerySingleOrDefaultAsync<KeptEventRow>(Sql.Get, args, cancel) is { } row
            ? Answer.Ok(row.ToView())
            : throw new FaultException(CommonFaults.NotFound, "There is no such event.");
    }

    internal static class Sql
    {
        public const string Get = """
            SELECT event_id, position, topic, type, key, sequence, occurred_at, data::text AS data
              FROM merchant_events
             WHERE event_id = @EventId
               AND merchant_id = @MerchantId
            """;
    }
}
