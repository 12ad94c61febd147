using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// POST /v1/acceptances/{program_id}/accept, /decline and /end: the accepting merchant's word on an offer. To accept is
/// to name the rate that was read, so nobody agrees to one that was changed meanwhile; an accepted offer ends now, or
/// with notice at a time to come. Each may be said again. Refusals: not_found, acceptance_changed (another rate),
/// acceptance_state, invalid_request.
/// </summary>
internal static class DecideAcceptance
{
    public static IEndpointRouteBuilder MapDecideAcceptance(this IEndpointRouteBuilder group)
    {
        Map<AcceptRequest>(group, "accept", Accept);
        Map<DeclineRequest>(group, "decline", Decline);
        Map<EndRequest>(group, "end", End);
        return group;
    }

    internal sealed record AcceptRequest(int CommissionBasisPoints);

    internal sealed record DeclineRequest;

    /// <param name="EndsAt">Until when the cards are still good; nothing: they are good no more.</param>
    internal sealed record EndRequest(DateTimeOffset? EndsAt = null);

    private static void Map<TRequest>(
        IEndpointRouteBuilder group,
        string verb,
        Func<AcceptanceRow, TRequest, DateTimeOffset, AcceptanceRow> decide
    ) =>
        group
            .MapPost(
                $"/acceptances/{{programId}}/{verb}",
                (
                    HttpContext http,
                    ProgramId programId,
                    TRequest request,
                    IdempotentRequests requests,
                    ProgramCopies copies,
                    TimeProvider time,
                    CancellationToken cancel
                ) =>
                    requests.ExecuteAsync(
                        http,
                        request,
                        db =>
                            WriteAsync(
                                db,
                                http.GetMerchant(),
                                programId,
                                row => decide(row, request, time.GetUtcNow()),
                                copies
                            ),
                        cancel
                    )
            )
            .RequireScope("programs:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(Faults.AcceptanceChanged, Faults.AcceptanceState)
            .WithName($"{char.ToUpperInvariant(verb[0])}{verb[1..]}Acceptance")
            .Produces<AcceptanceView>();

    private static AcceptanceRow Accept(AcceptanceRow row, AcceptRequest request, DateTimeOffset now) =>
        request.CommissionBasisPoints != row.CommissionBasisPoints
            ? throw new FaultException(
                Faults.AcceptanceChanged,
                $"The issuer offers {row.CommissionBasisPoints} basis points, not {request.CommissionBasisPoints}."
            )
            : row with
            {
                State = AcceptanceState.Accepted,
                EndsAt = null,
            };

    private static AcceptanceRow Decline(AcceptanceRow row, DeclineRequest request, DateTimeOffset now) =>
        row.State is AcceptanceState.Offered or AcceptanceState.Declined
            ? row with
            {
                State = AcceptanceState.Declined,
            }
            : throw new FaultException(Faults.AcceptanceState, $"It is {row.State}; what was accepted is ended.");

    private static AcceptanceRow End(AcceptanceRow row, EndRequest request, DateTimeOffset now)
    {
        if (row.State is not (AcceptanceState.Accepted or AcceptanceState.Ended))
        {
            throw new FaultException(Faults.AcceptanceState, $"It is {row.State}; only what was accepted is ended.");
        }

        if (request.EndsAt < now)
        {
            throw Faults.Invalid("/ends_at", "An acceptance ends now or later.");
        }

        return row.EndsAt <= now ? row : row with { State = AcceptanceState.Ended, EndsAt = request.EndsAt ?? now };
    }

    private static async Task<Answer> WriteAsync(
        DbSession db,
        MerchantIdentity merchant,
        ProgramId program,
        Func<AcceptanceRow, AcceptanceRow> decide,
        ProgramCopies copies
    )
    {
        var args = new
        {
            MerchantId = merchant.MerchantId,
            merchant.Live,
            ProgramId = program,
        };
        await ProgramCopies.LockAsync(db, program);
        var row =
            await db.QuerySingleOrDefaultAsync<AcceptanceRow>(Sql.Lock, args)
            ?? throw new FaultException(CommonFaults.NotFound, "Nobody offers this.");
        var decided = decide(row);
        if (decided != row)
        {
            decided = decided with { DecidedAt = db.Now };
            await db.ExecuteAsync(
                Sql.Write,
                new
                {
                    MerchantId = merchant.MerchantId,
                    ProgramId = program,
                    ApiKeyId = merchant.KeyId,
                    decided.State,
                    decided.CommissionBasisPoints,
                    decided.EndsAt,
                    decided.DecidedAt,
                }
            );
            await copies.ChangedAsync(db, program);
        }

        return Answer.Ok(decided.ToView());
    }

    private static class Sql
    {
        // Against the issuer, who may change the rate at the same moment.
        public const string Lock = $"""
            {AcceptanceRow.OfMerchant}
              AND a.program_id = @ProgramId
              FOR NO KEY UPDATE OF a
            """;

        public const string Write = """
            UPDATE program_acceptances
               SET state = @State, ends_at = @EndsAt, decided_at = @DecidedAt
             WHERE program_id = @ProgramId
               AND merchant_id = @MerchantId;
            INSERT INTO acceptance_decisions (program_id, merchant_id, decision, commission_basis_points, ends_at,
                api_key_id, occurred_at)
            VALUES (@ProgramId, @MerchantId, @State, @CommissionBasisPoints, @EndsAt, @ApiKeyId, @DecidedAt)
            """;
    }
}
