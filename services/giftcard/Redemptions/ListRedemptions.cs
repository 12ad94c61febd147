using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// GET /v1/redemptions: newest first, by state, reference, location or card. Refusals: invalid_request (limit, cursor,
/// state).
/// </summary>
internal static class ListRedemptions
{
    public static IEndpointRouteBuilder MapListRedemptions(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/redemptions", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName(nameof(ListRedemptions))
            .Produces<Page<RedemptionView>>();
        return group;
    }

    internal sealed record Query
    {
        public string? State { get; init; }

        public string? Reference { get; init; }

        [FromQuery(Name = "location_id")]
        public LocationId? LocationId { get; init; }

        [FromQuery(Name = "gift_card_id")]
        public GiftCardId? GiftCardId { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] Query query,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        new FieldChecks()
            .Require(query.State is null || RedemptionStates.Seen.Contains(query.State), "state", "invalid")
            .Text(query.Reference, "reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();
        var filters = $"redemptions|{query.State}|{query.Reference}|{query.LocationId}|{query.GiftCardId}";
        var take = CursorCodec.Limit(query.Limit);
        var after = cursors.Read(query.Cursor, merchant, filters);
        var rows = await database.SearchAsync<RedemptionRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                query.State,
                query.Reference,
                query.LocationId,
                query.GiftCardId,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        var page = Page<RedemptionRow>.Of(
            rows,
            take,
            r => cursors.Write(new(r.Order.CreatedAt, r.Id.Value), merchant, filters)
        );
        var ids = new { Ids = page.Data.Select(r => r.Id).ToArray() };
        var legs = (await database.QueryAsync<LegRow>(Sql.Legs, ids, cancel)).ToLookup(l => l.RedemptionId);
        var runs = (
            await database.QueryAsync<(RedemptionId Id, EnumText<RunState> State)>(Sql.Runs, ids, cancel)
        ).ToDictionary(r => r.Id, r => (RunState?)r.State.Value);
        return Answer.Ok(
            new Page<RedemptionView>(
                [.. page.Data.Select(r => RedemptionView.Of(r, legs[r.Id], runs.GetValueOrDefault(r.Id)))],
                page.NextCursor,
                page.HasMore
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {RedemptionRow.Columns}
             WHERE r.merchant_id = @MerchantId
               AND r.state <> 'refused'
               AND (@State::text IS NULL OR r.state = @State)
               AND (@Reference::text IS NULL OR r.reference = @Reference)
               AND (@LocationId::uuid IS NULL OR r.location_id = @LocationId)
               AND (@GiftCardId::uuid IS NULL OR EXISTS (SELECT 1
                                                           FROM redemption_legs g
                                                          WHERE g.gift_card_id = @GiftCardId
                                                            AND g.redemption_id = r.redemption_id))
               AND (r.created_at, r.redemption_id) < (@CreatedAt, @Id)
             ORDER BY r.created_at DESC, r.redemption_id DESC
             LIMIT @Take
            """;

        public const string Legs =
            $"{LegRow.Columns} WHERE g.redemption_id = ANY(@Ids) ORDER BY g.redemption_id, g.position";

        public const string Runs = """
            SELECT n.redemption_id AS id, n.state
              FROM redemption_runs n
              JOIN redemptions r
                ON r.redemption_id = n.redemption_id
               AND r.run_generation = n.generation
             WHERE n.redemption_id = ANY(@Ids)
            """;
    }
}
