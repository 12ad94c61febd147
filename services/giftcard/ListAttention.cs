using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// GET /ops/v1/giftcard/attention: steps of any kind that were tried too often in vain, or that the ledger refused with
/// what nobody expected; the oldest of each kind first, at most 100 of each.
/// </summary>
internal static class ListAttention
{
    private const int OfEachKind = 100;

    public static IEndpointRouteBuilder MapListAttention(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/giftcard/attention", HandleAsync)
            .RequireRole("viewer")
            .WithName(nameof(ListAttention))
            .Produces<View>();
        return group;
    }

    /// <param name="Kind">The table of the row: redemptions, redemption_refunds, card_operations,
    /// offline_items.</param>
    internal sealed record Item(
        string Kind,
        Guid Id,
        MerchantId MerchantId,
        int Attempts,
        string? Error,
        DateTimeOffset? NextTryAt,
        DateTimeOffset CreatedAt
    );

    internal sealed record View(IReadOnlyList<Item> Data);

    private static async Task<IResult> HandleAsync(
        Database database,
        IEnumerable<DueWork> kinds,
        CancellationToken cancel
    )
    {
        var items = new List<Item>();
        foreach (var work in kinds)
        {
            items.AddRange(
                (await work.AttentionAsync(database, OfEachKind, cancel)).Select(row => new Item(
                    work.Table,
                    row.Id,
                    row.MerchantId,
                    row.Attempts,
                    row.Error,
                    row.DriveAfter,
                    row.CreatedAt
                ))
            );
        }

        return Answer.Ok(new View(items));
    }
}
