using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// Another merchant that an issuer wants its programme's cards to be good at, and what that merchant is to leave it.
/// </summary>
internal sealed record AcceptanceRequest(MerchantId MerchantId, int CommissionBasisPoints = 0);

/// <summary>An offer as its issuer sees it, with what the other merchant says to it.</summary>
internal sealed record OfferView(
    MerchantId MerchantId,
    int CommissionBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt
);

/// <summary>
/// An offer as the merchant sees it that is to accept the cards: whose, which, at what rate. The programme's terms
/// beyond that are the issuer's.
/// </summary>
internal sealed record AcceptanceView(
    ProgramId ProgramId,
    string ProgramName,
    MerchantId IssuerId,
    string Currency,
    int CommissionBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt,
    DateTimeOffset ProgramCreatedAt
)
{
    public string Object { get; } = "acceptance";
}

internal static class AcceptanceState
{
    public const string Offered = "offered";
    public const string Accepted = "accepted";
    public const string Declined = "declined";

    /// <summary>Good until ends_at, which may be past.</summary>
    public const string Ended = "ended";

    public static readonly string[] All = [Offered, Accepted, Declined, Ended];
}

/// <summary>An offer's row with what it says of its programme.</summary>
internal sealed record AcceptanceRow(
    ProgramId ProgramId,
    string ProgramName,
    MerchantId IssuerId,
    string Currency,
    int CommissionBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt,
    DateTimeOffset ProgramCreatedAt
)
{
    /// <summary>Only offers of the caller's own mode: test and live never meet.</summary>
    public const string OfMerchant = """
        SELECT a.program_id, p.name AS program_name, p.merchant_id AS issuer_id, p.currency,
            a.commission_basis_points, a.state,
               a.ends_at, a.decided_at, p.created_at AS program_created_at
          FROM program_acceptances a
          JOIN programs p
            ON p.program_id = a.program_id
         WHERE a.merchant_id = @MerchantId
           AND a.live = @Live
        """;

    public AcceptanceView ToView() =>
        new(
            ProgramId,
            ProgramName,
            IssuerId,
            Currency,
            CommissionBasisPoints,
            State,
            EndsAt,
            DecidedAt,
            ProgramCreatedAt
        );
}

/// <summary>
/// The issuer's side: writes a programme's list of other merchants. What the other side said stays for as long as the
/// rate does; a merchant that is new, or whose rate has changed, is asked anew, and one that is no longer named is out
/// at once.
/// </summary>
internal static class AcceptanceOffers
{
    public static Task WriteAsync(
        DbSession db,
        ProgramId program,
        MerchantIdentity issuer,
        IReadOnlyList<AcceptanceRequest> merchants,
        DateTimeOffset now
    )
    {
        var offers = merchants.DistinctBy(a => a.MerchantId).ToArray();
        return db.ExecuteAsync(
            Sql.Write,
            new
            {
                ProgramId = program,
                issuer.Live,
                ApiKeyId = issuer.KeyId,
                Now = now,
                MerchantIds = Array.ConvertAll(offers, o => o.MerchantId),
                Commissions = Array.ConvertAll(offers, o => o.CommissionBasisPoints),
            }
        );
    }

    private static class Sql
    {
        public const string Write = """
            WITH offers AS (
                SELECT merchant_id, commission
                  FROM unnest(@MerchantIds, @Commissions) AS o (merchant_id, commission)),
            withdrawn AS (
                DELETE FROM program_acceptances a
                 WHERE a.program_id = @ProgramId
                   AND NOT EXISTS (SELECT 1
                                     FROM offers o
                                    WHERE o.merchant_id = a.merchant_id)
                RETURNING a.merchant_id, a.commission_basis_points),
            offered AS (
                INSERT INTO program_acceptances AS a (program_id, merchant_id, commission_basis_points, live)
                SELECT @ProgramId, merchant_id, commission, @Live
                  FROM offers
                    ON CONFLICT (program_id, merchant_id) DO UPDATE
                   SET commission_basis_points = excluded.commission_basis_points, live = excluded.live,
                       state = 'offered',
                       ends_at = NULL, decided_at = NULL
                 WHERE a.commission_basis_points <> excluded.commission_basis_points
                    OR a.live IS DISTINCT FROM excluded.live
                RETURNING a.merchant_id, a.commission_basis_points)
            INSERT INTO acceptance_decisions (program_id, merchant_id, decision, commission_basis_points, api_key_id,
                occurred_at)
            SELECT @ProgramId, merchant_id, 'withdrawn', commission_basis_points, @ApiKeyId, @Now
              FROM withdrawn
             UNION ALL
            SELECT @ProgramId, merchant_id, 'offered', commission_basis_points, @ApiKeyId, @Now
              FROM offered
            """;
    }
}
