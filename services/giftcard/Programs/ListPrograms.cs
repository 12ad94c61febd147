using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// GET /v1/programs: a merchant's programmes, newest first. Refusals: invalid_request (limit, cursor).
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
        var rows = await database.QueryAsync<ProgramRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<ProgramView>.Of(
                [.. rows.Select(r => r.ToView())],
                take,
                p => cursors.Write(new(p.CreatedAt, p.Id.Value), merchant, filters)
            )
        );
    }

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
