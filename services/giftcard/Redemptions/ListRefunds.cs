using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>GET /v1/redemptions/{id}/refunds: a redemption's refunds, oldest first. Refusals: not_found.</summary>
internal static class ListRefunds
{
    public static IEndpointRouteBuilder MapListRefunds(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/redemptions/{id}/refunds", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName(nameof(ListRefunds))
            .Produces<View>();
        return group;
    }

    internal sealed record View(IReadOnlyList<RefundView> Data);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        RedemptionId id,
        RedemptionStore store,
        Database database,
        CancellationToken cancel
    )
    {
        var redemption = await store.GetAsync(http.GetMerchant().MerchantId, id, cancel);
        var rows = await database.QueryAsync<RefundRow>(Sql.List, new { RedemptionId = id.Value }, cancel);
        return Answer.Ok(new View([.. rows.Select(r => r.ToView(redemption.Row.State, redemption.Row.Points))]));
    }

    private static class Sql
    {
        public const string List = $"""
            {RefundRow.Columns}
             WHERE f.redemption_id = @RedemptionId
             ORDER BY f.created_at, f.refund_id
             LIMIT 1000
            """;
    }
}
