using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>GET /v1/rewards/{id}. Refusals: not_found.</summary>
internal static class GetReward
{
    public static void MapGetReward(this IEndpointRouteBuilder group) =>
        group.MapGet("/rewards/{id}", HandleAsync).RequireScope("programs:read").WithName(nameof(GetReward)).Produces<RewardView>();

    private static async Task<IResult> HandleAsync(HttpContext http, RewardId id, Database database, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<RewardRow>(
            Sql.Get, new { RewardId = id.Value, MerchantId = http.GetMerchant().MerchantId.Value }, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such reward.");
        return Answer.Ok(row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Get =
            $"""
             {RewardRow.Columns}
              WHERE r.reward_id = @RewardId
                AND r.merchant_id = @MerchantId
             """;
    }
}

/// <summary>GET /v1/rewards: a merchant's catalogue, newest first, all or those of a status. Refusals: invalid_request.</summary>
internal static class ListRewards
{
    public static void MapListRewards(this IEndpointRouteBuilder group) =>
        group.MapGet("/rewards", HandleAsync).RequireScope("programs:read").WithName(nameof(ListRewards)).Produces<Page<RewardView>>();

    private static async Task<IResult> HandleAsync(
        HttpContext http, Database database, CursorCodec cursors, CancellationToken cancel, string? status = null, int? limit = null,
        string? cursor = null)
    {
        new FieldChecks().Require(status is null or "active" or "closed", "status", "invalid").ThrowIfAny();
        var filters = $"rewards|{status}";
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.SearchAsync<RewardRow>(
            Sql.List, new { MerchantId = merchant.Value, Status = status, after.CreatedAt, after.Id, Take = take + 1 }, cancel);
        return Answer.Ok(Page<RewardView>.Of(
            [.. rows.Select(r => r.ToView())], take, r => cursors.Write(new(r.CreatedAt, r.Id.Value), merchant, filters)));
    }

    private static class Sql
    {
        public const string List =
            $"""
             {RewardRow.Columns}
              WHERE r.merchant_id = @MerchantId
                AND (@Status::text IS NULL OR r.status = @Status)
                AND (r.created_at, r.reward_id) < (@CreatedAt, @Id)
              ORDER BY r.created_at DESC, r.reward_id DESC
              LIMIT @Take
             """;
    }
}
