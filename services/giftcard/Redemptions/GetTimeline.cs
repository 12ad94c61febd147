using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// GET /v1/redemptions/{id}/timeline: what happened, in order, and who did it. Refusals: not_found.
/// </summary>
internal static class GetTimeline
{
    public static IEndpointRouteBuilder MapGetTimeline(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/redemptions/{id}/timeline", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName(nameof(GetTimeline))
            .Produces<View>();
        return group;
    }

    internal sealed record Entry(string Kind, string Actor, JsonElement? Detail, DateTimeOffset OccurredAt);

    internal sealed record View(RedemptionId RedemptionId, IReadOnlyList<Entry> Data);

    /// <summary>The timeline of any merchant's redemption.</summary>
    public static async Task<IReadOnlyList<Entry>> ReadAsync(
        Database database,
        RedemptionId id,
        CancellationToken cancel
    )
    {
        var rows = await database.QueryAsync<Row>(
            Sql.Timeline,
            new { RedemptionId = id.Value, Take = GiftcardLimits.TimelineRows },
            cancel
        );
        return
        [
            .. rows.Select(r => new Entry(
                r.Kind,
                r.Actor,
                r.Detail is null ? null : JsonElement.Parse(r.Detail),
                r.OccurredAt
            )),
        ];
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        RedemptionStore store,
        Database database,
        CancellationToken cancel
    )
    {
        await store.GetAsync(http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(new View(id, [.. (await ReadAsync(database, id, cancel)).Select(ForMerchants)]));
    }

    /// <summary>Who of the operators it was, and what they noted, is nobody's business but theirs.</summary>
    private static Entry ForMerchants(Entry entry) =>
        entry.Actor.StartsWith("operator:", StringComparison.Ordinal)
            ? entry with
            {
                Actor = "operator",
                Detail = null,
            }
            : entry;

    private sealed record Row(string Kind, string Actor, string? Detail, DateTimeOffset OccurredAt);

    private static class Sql
    {
        // How it began, that it was decided at once (when its run began) and how its runs ended is in the
        // rows of these; what the previous release noted of it stands as it is.
        public const string Timeline = """
            SELECT kind, actor, detail::text AS detail, occurred_at
              FROM (SELECT 'accepted' AS kind, 'till' AS actor, NULL::jsonb AS detail, created_at AS occurred_at,
                           0::bigint AS event_id
                      FROM redemptions
                     WHERE redemption_id = @RedemptionId
                     UNION ALL
                    SELECT kind, actor, detail, occurred_at, event_id
                      FROM redemption_events
                     WHERE redemption_id = @RedemptionId
                       AND kind NOT IN ('accepted', 'run_finished')
                     UNION ALL
                    SELECT 'completed', 'giftcard', jsonb_build_object('approved', r.approved), n.created_at, 1
                      FROM redemptions r
                      JOIN redemption_runs n
                        ON n.redemption_id = r.redemption_id
                       AND n.generation = 1
                     WHERE r.redemption_id = @RedemptionId
                       AND r.mode = 'immediate'
                       AND r.captured > 0
                       AND NOT EXISTS (SELECT 1
                                         FROM redemption_events k
                                        WHERE k.redemption_id = r.redemption_id
                                          AND k.kind = 'completed')
                     UNION ALL
                    SELECT 'run_finished', CASE engine WHEN 'inline' THEN 'inline' ELSE 'workflow' END, NULL,
                           finished_at, NULL
                      FROM redemption_runs
                     WHERE redemption_id = @RedemptionId
                       AND state = 'finished') e
             ORDER BY event_id = 0 DESC NULLS LAST, occurred_at, event_id
             LIMIT @Take
            """;
    }
}
