using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// POST /v1/loyalty_partnerships/{program_id}/accept, /decline and /end: the partner's word on an offer. To accept is
/// to name the rate that was read; what was accepted ends now, or with notice at a time to come. Each may be said
/// again. Refusals: not_found, acceptance_changed (another rate), acceptance_state, invalid_request.
/// </summary>
internal static class DecidePartnership
{
    internal sealed record AcceptRequest(int FundingBasisPoints);

    internal sealed record DeclineRequest;

    /// <param name="EndsAt">Until when points are still given; nothing: none from now on.</param>
    internal sealed record EndRequest(DateTimeOffset? EndsAt = null);

    public static IEndpointRouteBuilder MapDecidePartnership(this IEndpointRouteBuilder group)
    {
        Map<AcceptRequest>(group, "accept", Accept);
        Map<DeclineRequest>(group, "decline", Decline);
        Map<EndRequest>(group, "end", End);
        return group;
    }

    private static void Map<TRequest>(
        IEndpointRouteBuilder group,
        string verb,
        Func<PartnershipRow, TRequest, DateTimeOffset, PartnershipRow> decide
    ) =>
        group
            .MapPost(
                $"/loyalty_partnerships/{{programId}}/{verb}",
                (
                    HttpContext http,
                    ProgramId programId,
                    TRequest request,
                    IdempotentRequests requests,
                    LoyaltyProgramCopies copies,
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
            .RequireScope("loyalty:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(Faults.AcceptanceChanged, Faults.AcceptanceState)
            .WithName($"{char.ToUpperInvariant(verb[0])}{verb[1..]}Partnership")
            .Produces<PartnershipView>();

    private static PartnershipRow Accept(PartnershipRow row, AcceptRequest request, DateTimeOffset now) =>
        request.FundingBasisPoints != row.FundingBasisPoints
            ? throw new FaultException(
                Faults.AcceptanceChanged,
                $"The issuer offers {row.FundingBasisPoints} basis points, not {request.FundingBasisPoints}."
            )
            : row with
            {
                State = PartnershipRow.Accepted,
                EndsAt = null,
            };

    private static PartnershipRow Decline(PartnershipRow row, DeclineRequest request, DateTimeOffset now) =>
        row.State is PartnershipRow.Offered or PartnershipRow.Declined
            ? row with
            {
                State = PartnershipRow.Declined,
            }
            : throw new FaultException(Faults.AcceptanceState, $"It is {row.State}; what was accepted is ended.");

    private static PartnershipRow End(PartnershipRow row, EndRequest request, DateTimeOffset now)
    {
        if (row.State is not (PartnershipRow.Accepted or PartnershipRow.Ended))
        {
            throw new FaultException(Faults.AcceptanceState, $"It is {row.State}; only what was accepted is ended.");
        }

        if (request.EndsAt < now)
        {
            throw Faults.Invalid("/ends_at", "A partnership ends now or later.");
        }

        return row.EndsAt <= now ? row : row with { State = PartnershipRow.Ended, EndsAt = request.EndsAt ?? now };
    }

    private static async Task<Answer> WriteAsync(
        DbSession db,
        MerchantIdentity merchant,
        ProgramId program,
        Func<PartnershipRow, PartnershipRow> decide,
        LoyaltyProgramCopies copies
    )
    {
        var args = new
        {
            merchant.MerchantId,
            merchant.Live,
            ProgramId = program,
        };
        await LoyaltyProgramCopies.LockAsync(db, program);
        var row =
            await db.QuerySingleOrDefaultAsync<PartnershipRow>(Sql.Lock, args)
            ?? throw new FaultException(CommonFaults.NotFound, "Nobody offers this.");
        var decided = decide(row);
        if (decided != row)
        {
            decided = decided with { DecidedAt = db.Now };
            await db.ExecuteAsync(
                Sql.Write,
                new
                {
                    merchant.MerchantId,
                    ProgramId = program,
                    ApiKeyId = merchant.KeyId,
                    decided.State,
                    decided.FundingBasisPoints,
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
            {PartnershipRow.OfMerchant}
              AND a.program_id = @ProgramId
              FOR NO KEY UPDATE OF a
            """;

        public const string Write = """
            UPDATE loyalty_partners
               SET state = @State, ends_at = @EndsAt, decided_at = @DecidedAt
             WHERE program_id = @ProgramId
               AND merchant_id = @MerchantId;
            INSERT INTO loyalty_partner_decisions (program_id, merchant_id, decision, funding_basis_points, ends_at,
                   api_key_id, occurred_at)
            VALUES (@ProgramId, @MerchantId, @State, @FundingBasisPoints, @EndsAt, @ApiKeyId, @DecidedAt)
            """;
    }
}
