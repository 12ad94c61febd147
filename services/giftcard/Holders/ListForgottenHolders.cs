using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Holders;

/// <summary>
/// GET /internal/forgotten_holders?after=, for the wallet: whom this service was told to forget, in the order of the
/// ids, so that a backup that remembers is found out.
/// </summary>
internal static class ListForgottenHolders
{
    private const int PageSize = 1000;

    internal sealed record Forgotten(CustomerId CustomerId, MerchantId MerchantId, DateTimeOffset ErasedAt);

    /// <param name="Next">Where the list goes on; absent at its end.</param>
    internal sealed record Response(IReadOnlyList<Forgotten> Forgotten, CustomerId? Next);

    public static IEndpointRouteBuilder MapListForgottenHolders(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/forgotten_holders", HandleAsync)
            .CalledBy("wallet")
            .WithName(nameof(ListForgottenHolders))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        Database database,
        CancellationToken cancel,
        CustomerId? after = null
    )
    {
        var rows = await database.QueryAsync<Forgotten>(
            Sql.List,
            new { After = after ?? default, Take = PageSize + 1 },
            cancel
        );
        return Answer.Ok(
            new Response([.. rows.Take(PageSize)], rows.Count > PageSize ? rows[PageSize - 1].CustomerId : null)
        );
    }

    private static class Sql
    {
        public const string List = """
            SELECT customer_id, merchant_id, erased_at
              FROM forgotten_holders
             WHERE customer_id > @After
             ORDER BY customer_id
             LIMIT @Take
            """;
    }
}
