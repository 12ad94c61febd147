using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// A merchant that an issuer wants its points to be earned at, and how much of their value that merchant is to pay.
/// </summary>
internal sealed record PartnerRequest(MerchantId MerchantId, int FundingBasisPoints = 0);

/// <summary>An offer as its issuer sees it, with what the other merchant says to it.</summary>
internal sealed record PartnerView(
    MerchantId MerchantId,
    int FundingBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt
)
{
    public static IReadOnlyList<PartnerView> ReadAll(string json) =>
        [
            .. StoredJson
                .Read<Stored[]>(json)
                .Select(p => new PartnerView(MerchantId.From(p.Merchant), p.Funding, p.State, p.EndsAt, p.DecidedAt)),
        ];

    /// <summary>As PostgreSQL writes it: the id is a uuid.</summary>
    private sealed class Stored
    {
        public required Guid Merchant { get; init; }

        public required int Funding { get; init; }

        public required string State { get; init; }

        public DateTimeOffset? EndsAt { get; init; }

        public DateTimeOffset? DecidedAt { get; init; }
    }
}

/// <summary>
/// The issuer's side: writes a programme's list of partners. What the other side said stays for as long as the rate
/// does; a merchant that is new, or whose rate has changed, is asked anew, and one that is no longer named is out at
/// once.
/// </summary>
internal static class Partners
{
    public static Task OfferAsync(
        DbSession db,
        ProgramId program,
        MerchantIdentity issuer,
        IReadOnlyList<PartnerRequest> partners,
        DateTimeOffset now
    )
    {
        var offers = partners.DistinctBy(p => p.MerchantId).ToArray();
        return db.ExecuteAsync(
            Sql.Offer,
            new
            {
                ProgramId = program,
                issuer.Live,
                ApiKeyId = issuer.KeyId,
                Now = now,
                MerchantIds = Array.ConvertAll(offers, o => o.MerchantId),
                Fundings = Array.ConvertAll(offers, o => o.FundingBasisPoints),
            }
        );
    }

    /// <summary>The issuer itself is no partner of its own.</summary>
    public static FieldChecks NamesOthers(
        this FieldChecks checks,
        IReadOnlyList<PartnerRequest>? partners,
        MerchantId issuer
    ) => checks.Require((partners ?? []).All(p => p.MerchantId != issuer), "/partners", "own_merchant");

    private static class Sql
    {
        public const string Offer = """
            WITH offers AS (
                SELECT merchant_id, funding
                  FROM unnest(@MerchantIds, @Fundings) AS o (merchant_id, funding)),
            withdrawn AS (
                DELETE FROM loyalty_partners a
                 WHERE a.program_id = @ProgramId
                   AND NOT EXISTS (SELECT 1
                                     FROM offers o
                                    WHERE o.merchant_id = a.merchant_id)
                RETURNING a.merchant_id, a.funding_basis_points),
            offered AS (
                INSERT INTO loyalty_partners AS a (program_id, merchant_id, funding_basis_points, live, state)
                SELECT @ProgramId, merchant_id, funding, @Live, 'offered'
                  FROM offers
                    ON CONFLICT (program_id, merchant_id) DO UPDATE
                   SET funding_basis_points = excluded.funding_basis_points,
                       state = 'offered',
                       ends_at = NULL,
                       decided_at = NULL
                 WHERE a.funding_basis_points <> excluded.funding_basis_points
                RETURNING a.merchant_id, a.funding_basis_points)
            INSERT INTO loyalty_partner_decisions (program_id, merchant_id, decision, funding_basis_points, api_key_id,
                   occurred_at)
            SELECT @ProgramId, merchant_id, 'withdrawn', funding_basis_points, @ApiKeyId, @Now
              FROM withdrawn
             UNION ALL
            SELECT @ProgramId, merchant_id, 'offered', funding_basis_points, @ApiKeyId, @Now
              FROM offered
            """;
    }
}
