using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>GET /v1/loyalty_programs/{id}, for its issuer. Refusals: not_found.</summary>
internal static class GetLoyaltyProgram
{
    public static IEndpointRouteBuilder MapGetLoyaltyProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/loyalty_programs/{id}", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(GetLoyaltyProgram))
            .Produces<LoyaltyProgramView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId id,
        LoyaltyProgramCopies programs,
        CancellationToken cancel
    )
    {
        var program = await programs.GetAsync(http.GetMerchant(), id, cancel);
        return Answer.Ok(program, program.Version);
    }
}

/// <summary>
/// GET /v1/loyalty_programs: a merchant's programmes, newest first; the beginning out of a cache. Refusals:
/// invalid_request (limit, cursor).
/// </summary>
internal static class ListLoyaltyPrograms
{
    private const string Filters = "loyalty_programs";

    public static IEndpointRouteBuilder MapListLoyaltyPrograms(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/loyalty_programs", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(ListLoyaltyPrograms))
            .Produces<Page<LoyaltyProgramView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        LoyaltyProgramCopies copies,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant();
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, Filters);
        var views = FirstRows<LoyaltyProgramView>.Have(take, cursor)
            ? (await copies.FirstAsync(merchant, cancel)).For(take)
            :
            [
                .. (await ReadAsync(database, (merchant.MerchantId, merchant.Live), after, take + 1, cancel)).Select(
                    row => row.ToView()
                ),
            ];
        return Answer.Ok(
            Page<LoyaltyProgramView>.Of(
                views,
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, Filters)
            )
        );
    }

    /// <summary>Rows after a position, from the database.</summary>
    public static Task<IReadOnlyList<LoyaltyProgramRow>> ReadAsync(
        Database database,
        (MerchantId Merchant, bool Live) of,
        Keyset after,
        int take,
        CancellationToken cancel
    ) =>
        database.QueryAsync<LoyaltyProgramRow>(
            Sql.List,
            new
            {
                MerchantId = of.Merchant,
                of.Live,
                after.CreatedAt,
                after.Id,
                Take = take,
            },
            cancel
        );

    private static class Sql
    {
        public const string List = $"""
            {LoyaltyProgramRow.Columns}
             WHERE p.merchant_id = @MerchantId
               AND p.live = @Live
               AND (p.created_at, p.program_id) < (@CreatedAt, @Id)
             ORDER BY p.created_at DESC, p.program_id DESC
             LIMIT @Take
            """;
    }
}
