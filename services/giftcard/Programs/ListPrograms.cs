using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// GET /v1/programs: a merchant's programmes, newest first; the beginning out of a cache. Refusals:
/// invalid_request (limit, cursor).
/// </summary>
internal static class ListPrograms
{
    public static IEndpointRouteBuilder MapListPrograms(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/programs", HandleAsync)
            .RequireScope("programs:read")
            .WithName(nameof(ListPrograms))
            .Produces<Page<ProgramView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        ProgramCopies copies,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        const string filters = "programs";
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, filters);
        var views = FirstRows<ProgramView>.Have(take, cursor)
            ? (await copies.FirstAsync(merchant, cancel)).For(take)
            : [.. (await ReadAsync(database, merchant, after, take + 1, cancel)).Select(row => row.ToView())];
        return Answer.Ok(
            Page<ProgramView>.Of(views, take, p => cursors.Write(new(p.CreatedAt, p.Id.Value), merchant, filters))
        );
    }

    /// <summary>Rows after a position, from the database.</summary>
    public static Task<IReadOnlyList<ProgramRow>> ReadAsync(
        Database database,
        MerchantId merchant,
        Keyset after,
        int take,
        CancellationToken cancel
    ) =>
        database.QueryAsync<ProgramRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Take = take,
            },
            cancel
        );

    private static class Sql
    {
        public const string List = $"""
            {ProgramRow.Columns}
             WHERE p.merchant_id = @MerchantId
               AND (p.created_at, p.program_id) < (@CreatedAt, @Id)
             ORDER BY p.created_at DESC, p.program_id DESC
             LIMIT @Take
            """;
    }
}
