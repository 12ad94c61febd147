using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Terminals;

/// <summary>
/// POST /v1/locations/{id}/terminals: a till at this place; redemptions name it by its id. Refusals: invalid_request,
/// not_found, reference_reused.
/// </summary>
internal static class RegisterTerminal
{
    private const int MaxReference = 200;

    /// <param name="Reference">The merchant's own number of the till; unique per merchant for ever.</param>
    internal sealed record Request(string Name, string? Reference = null);

    public static IEndpointRouteBuilder MapRegisterTerminal(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/locations/{id}/terminals", HandleAsync)
            .RequireScope("locations:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review)
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.ReferenceReused)
            .Audit("terminal.register")
            .WithName(nameof(RegisterTerminal))
            .Produces<TerminalView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        LocationId id,
        Request request,
        IdempotentRequests idempotent,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Name(request.Name).Text(request.Reference, "/reference", MaxReference).ThrowIfAny();
        var terminal = new TerminalRow(
            TerminalId.New(time),
            id,
            request.Name.Trim(),
            request.Reference,
            BlockedAt: null,
            BlockReason: null,
            time.GetUtcNow()
        );
        return idempotent.ExecuteAsync(
            http,
            request,
            db => AddAsync(db, http.GetMerchant().MerchantId, terminal),
            cancel
        );
    }

    private static async Task<Answer> AddAsync(DbSession db, MerchantId merchant, TerminalRow terminal)
    {
        if (!await db.QuerySingleOrDefaultAsync<bool>(Sql.IsPlace, new { terminal.LocationId, MerchantId = merchant }))
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such location.");
        }

        var row = new
        {
            terminal.TerminalId,
            MerchantId = merchant,
            terminal.LocationId,
            terminal.Name,
            terminal.Reference,
            terminal.CreatedAt,
        };
        return await db.ExecuteAsync(Sql.Insert, row) == 1
            ? Answer.Created($"/v1/locations/{terminal.LocationId}/terminals/{terminal.TerminalId}", terminal.ToView())
            : throw CommonFaults.ReferenceReusedBy(await db.QuerySingleAsync<TerminalId>(Sql.Holder, row));
    }

    private static class Sql
    {
        public const string IsPlace = """
            SELECT true
              FROM locations
             WHERE location_id = @LocationId
               AND merchant_id = @MerchantId
            """;

        public const string Insert = """
            INSERT INTO terminals (terminal_id, merchant_id, location_id, name, reference, created_at)
            VALUES (@TerminalId, @MerchantId, @LocationId, @Name, @Reference, @CreatedAt)
                ON CONFLICT (merchant_id, reference) DO NOTHING
            """;

        // The insert waited for whoever came first, so its row is visible to this statement.
        public const string Holder = """
            SELECT terminal_id
              FROM terminals
             WHERE merchant_id = @MerchantId
               AND reference = @Reference
            """;
    }
}
