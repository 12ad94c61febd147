using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Ledger;

/// <summary>
/// GET /ops/v1/wallet/attention: movements of points that the ledger has not booked after many tries, the oldest first,
/// at most 100. They count all the same, and go on being tried.
/// </summary>
internal static class ListAttention
{
    private const int Most = 100;

    internal sealed record Item(
        MovementId MovementId,
        string Kind,
        MerchantId MerchantId,
        int Attempts,
        string? Error,
        DateTimeOffset? NextTryAt,
        DateTimeOffset CreatedAt
    );

    internal sealed record View(IReadOnlyList<Item> Data);

    public static IEndpointRouteBuilder MapListAttention(this IEndpointRouteBuilder group)
    {
        group.MapGet("/wallet/attention", HandleAsync).WithName("ListWalletAttention").Produces<View>();
        return group;
    }

    private static async Task<IResult> HandleAsync(Database database, CancellationToken cancel) =>
        Answer.Ok(new View(await database.QueryAsync<Item>(Sql.List, new { Most }, cancel)));

    private static class Sql
    {
        public const string List = """
            SELECT movement_id, kind, merchant_id, drive_attempts AS attempts, drive_error AS error,
                   drive_after AS next_try_at, created_at
              FROM ledger_commands
             WHERE needs_attention
             ORDER BY created_at
             LIMIT @Most
            """;
    }
}
