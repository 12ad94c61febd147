using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// PUT /v1/programs/{id}/breakage_rate: what share of the programme's value its issuer expects that nobody will spend,
/// from the UTC month of the request on; null: what its own old cards show. Months that are over keep theirs, so that
/// what was recognised in them stays. A repeat changes nothing. Refusals: not_found, invalid_request.
/// </summary>
internal static class SetBreakageRate
{
    private const int BasisPointsMax = 9_999;

    public static IEndpointRouteBuilder MapSetBreakageRate(this IEndpointRouteBuilder group)
    {
        group
            .MapPut("/programs/{id}/breakage_rate", HandleAsync)
            .RequireScope("programs:write")
            .Audit("program.breakage_rate")
            .WithName(nameof(SetBreakageRate))
            .Produces<View>();
        return group;
    }

    /// <param name="ExpectedBasisPoints">0 to 9999.</param>
    internal sealed record Request(int? ExpectedBasisPoints = null);

    /// <param name="Since">The month it counts from, as "2026-03".</param>
    internal sealed record View(ProgramId ProgramId, int? ExpectedBasisPoints, string Since)
    {
        public string Object { get; } = "breakage_rate";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId id,
        Request request,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.ExpectedBasisPoints is null or (>= 0 and <= BasisPointsMax), "/expected_basis_points")
            .ThrowIfAny();
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var set = await db.ExecuteAsync(
            Sql.Set,
            new
            {
                ProgramId = id,
                http.GetMerchant().MerchantId,
                Month = Month.Of(now),
                request.ExpectedBasisPoints,
                Now = now,
            }
        );
        if (set == 0)
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such programme.");
        }

        await db.CommitAsync();
        return Answer.Ok(new View(id, request.ExpectedBasisPoints, Month.Name(Month.Of(now))));
    }

    private static class Sql
    {
        public const string Set = """
            INSERT INTO breakage_rates (program_id, month, expected_basis_points, set_at)
            SELECT p.program_id, @Month, @ExpectedBasisPoints, @Now
              FROM programs p
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
                ON CONFLICT (program_id, month) DO UPDATE
               SET expected_basis_points = EXCLUDED.expected_basis_points, set_at = EXCLUDED.set_at
            """;
    }
}
