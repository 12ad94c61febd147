using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>
/// GET /v1/rewards: a merchant's catalogue, newest first, all or those of a status. Refusals:
/// invalid_request.
/// </summary>
internal static class ListRewards
{
    public static IEndpointRouteBuilder MapListRewards(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/rewards", HandleAsync)
            .RequireScope("programs:read")
            .WithName(nameof(ListRewards))
            .Produces<Page<RewardView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        string? status = null,
        int? limit = null,
        string? cursor = null
    )
    {
        new FieldChecks().Require(status is null or "active" or "closed", "status", "invalid").ThrowIfAny();
        var filters = $"rewards|{status}";
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.SearchAsync<RewardRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                Status = status,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<RewardView>.Of(
                [.. rows.Select(r => r.ToView())],
                take,
                r => cursors.Write(new(r.CreatedAt, r.Id.Value), merchant, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {RewardRow.Columns}
             WHERE r.merchant_id = @MerchantId
               AND (@Status::text IS NULL OR r.status = @Status)
               AND (r.created_at, r.reward_id) < (@CreatedAt, @Id)
             ORDER BY r.created_at DESC, r.reward_id DESC
             LIMIT @Take
            """;
    }
}
