using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// GET /v1/acceptances/{program_id}: what a programme's issuer offers the calling merchant for taking its cards.
/// Refusals: not_found (no offer, or one of the other mode).
/// </summary>
internal static class GetAcceptance
{
    public static IEndpointRouteBuilder MapGetAcceptance(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/acceptances/{programId}", HandleAsync)
            .RequireScope("programs:read")
            .WorksAcrossMerchants()
            .WithName(nameof(GetAcceptance))
            .Produces<AcceptanceView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId programId,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var row = await database.QuerySingleOrDefaultAsync<AcceptanceRow>(
            Sql.Get,
            new
            {
                MerchantId = merchant.MerchantId,
                merchant.Live,
                ProgramId = programId,
            },
            cancel
        );
        return row is null
            ? throw new FaultException(CommonFaults.NotFound, "Nobody offers this.")
            : Answer.Ok(row.ToView());
    }

    private static class Sql
    {
        public const string Get = $"{AcceptanceRow.OfMerchant} AND a.program_id = @ProgramId";
    }
}

/// <summary>
/// GET /v1/acceptances: whose cards the calling merchant is offered to take, the newest programmes first, by state.
/// Refusals: invalid_request (limit, cursor, state).
/// </summary>
internal static class ListAcceptances
{
    public static IEndpointRouteBuilder MapListAcceptances(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/acceptances", HandleAsync)
            .RequireScope("programs:read")
            .WorksAcrossMerchants()
            .WithName(nameof(ListAcceptances))
            .Produces<Page<AcceptanceView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        string? state = null,
        int? limit = null,
        string? cursor = null
    )
    {
        new FieldChecks()
            .Require(state is null || AcceptanceState.All.Contains(state), "state", "invalid")
            .ThrowIfAny();
        var filters = $"acceptances|{state}";
        var merchant = http.GetMerchant();
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        var rows = await database.QueryAsync<AcceptanceRow>(
            Sql.List,
            new
            {
                MerchantId = merchant.MerchantId,
                merchant.Live,
                State = state,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<AcceptanceView>.Of(
                [.. rows.Select(r => r.ToView())],
                take,
                a => cursors.Write(new(a.ProgramCreatedAt, a.ProgramId.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {AcceptanceRow.OfMerchant}
              AND (@State::text IS NULL OR a.state = @State)
              AND (p.created_at, p.program_id) < (@CreatedAt, @Id)
            ORDER BY p.created_at DESC, p.program_id DESC
            LIMIT @Take
            """;
    }
}
