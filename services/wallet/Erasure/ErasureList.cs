using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Erasure;

/// <summary>
/// GET /ops/v1/wallet/erasures: who was forgotten, in the order of the ids, for the copy that operators keep apart from
/// the backups. POST of such a list forgets each of them again, holds or not: after a restore of everything at once,
/// when no service knows any more (docs/guides/after-a-restore.md). Refusals: invalid_request.
/// </summary>
internal static class ErasureList
{
    private const int PageSize = 1000;

    /// <summary>Also who asked for it, in the list that a restore makes anew.</summary>
    private const string Operators = "operators";

    internal sealed record ListedErasure(CustomerId CustomerId, MerchantId MerchantId, DateTimeOffset ErasedAt);

    /// <param name="Next">Where the list goes on: the value of <c>after</c>; absent at its end.</param>
    internal sealed record ListedErasures(IReadOnlyList<ListedErasure> Erasures, CustomerId? Next);

    internal sealed record ErasuresToApply(IReadOnlyList<ListedErasure> Erasures);

    /// <param name="Forgotten">Those that were known here, or not known to be forgotten.</param>
    internal sealed record AppliedErasures(int Forgotten);

    public static IEndpointRouteBuilder MapErasureList(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/wallet/erasures", ListAsync)
            .RequireRole("operator")
            .WithName("ListErasures")
            .Produces<ListedErasures>();
        group
            .MapPost("/wallet/erasures", ApplyAsync)
            .RequireRole("admin")
            .RequireIdempotencyKey()
            .Audit("customer.erase_again")
            .WithName("ApplyErasures")
            .Produces<AppliedErasures>();
        return group;
    }

    private static async Task<IResult> ListAsync(Database database, CancellationToken cancel, CustomerId? after = null)
    {
        var rows = await database.QueryAsync<ErasureRow>(
            Sql.List,
            new { After = after ?? default, Take = PageSize + 1 },
            cancel
        );
        return Answer.Ok(
            new ListedErasures(
                [.. rows.Take(PageSize).Select(e => new ListedErasure(e.CustomerId, e.MerchantId, e.ErasedAt))],
                rows.Count > PageSize ? rows[PageSize - 1].CustomerId : null
            )
        );
    }

    private static Task<IResult> ApplyAsync(
        HttpContext http,
        ErasuresToApply request,
        IdempotentRequests requests,
        Eraser eraser,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(request.Erasures.Count is > 0 and <= PageSize, "/erasures").ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var rows = request.Erasures.Select(e => new ErasureRow(e.CustomerId, e.MerchantId, e.ErasedAt));
                var missing = await MissingAsync(db, [.. rows]);
                foreach (var erasure in missing)
                {
                    await eraser.ForgetAgainAsync(db, erasure, Operators);
                }

                return Answer.Ok(new AppliedErasures(missing.Count));
            },
            cancel
        );
    }

    /// <summary>Those of the list that are not on this service's own, in the order of their ids.</summary>
    public static async Task<IReadOnlyList<ErasureRow>> MissingAsync(DbSession db, IReadOnlyList<ErasureRow> list)
    {
        var known = await db.QueryAsync<CustomerId>(Sql.Known, new { Ids = list.Select(e => e.CustomerId).ToArray() });
        return [.. list.ExceptBy(known, e => e.CustomerId).OrderBy(e => e.CustomerId.Value)];
    }

    internal static class Sql
    {
        public const string List = $"""
            {ErasureRow.Columns}
             WHERE e.customer_id > @After
             ORDER BY e.customer_id
             LIMIT @Take
            """;

        public const string Known = "SELECT customer_id FROM erasures WHERE customer_id = ANY(@Ids)";
    }
}
