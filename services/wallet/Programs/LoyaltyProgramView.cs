using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>A programme as its issuer sees it.</summary>
internal sealed record LoyaltyProgramView(
    ProgramId Id,
    string Name,
    Currency Currency,
    string State,
    EarnRate Earn,
    PointValue PointValue,
    string TimeZone,
    Rounding Rounding,
    ExpiryPolicy Expiry,
    NegativePolicy Negative,
    IReadOnlyList<EarningLocation> Locations,
    TierTerms? Tiers,
    int? ReturnWindowDays,
    IReadOnlyList<PartnerView> Partners,
    string? Reference,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "loyalty_program";
}

/// <summary>A programme's row; partners come along as JSON.</summary>
/// <param name="RulesVersion">Counts every change of its rules.</param>
internal sealed record LoyaltyProgramRow(
    ProgramId ProgramId,
    MerchantId MerchantId,
    bool Live,
    string Name,
    string Currency,
    string State,
    string Terms,
    string? Reference,
    long Version,
    DateTimeOffset CreatedAt,
    long RulesVersion,
    string? Partners
)
{
    public const string Active = "active";

    public const string Columns = """
        SELECT p.program_id, p.merchant_id, p.live, p.name, p.currency, p.state, p.terms::text AS terms, p.reference,
               p.version, p.created_at, p.rules_version,
               (SELECT json_agg(json_build_object('merchant', a.merchant_id, 'funding', a.funding_basis_points,
                                                  'state', a.state, 'ends_at', a.ends_at,
                                                  'decided_at', a.decided_at)
                                ORDER BY a.merchant_id)::text
                  FROM loyalty_partners a
                 WHERE a.program_id = p.program_id) AS partners
          FROM loyalty_programs p
        """;

    /// <summary>What is offered to that merchant, and what it says to it; null: nothing.</summary>
    public PartnerView? Partner(MerchantId merchant) =>
        Partners is null
            ? null
            : PartnerView.ReadAll(Partners).FirstOrDefault(partner => partner.MerchantId == merchant);

    /// <summary>Whether it is the merchant's, or a partner's at that time; as <c>TakenPartIn</c> asks it.</summary>
    public bool IsTakenPartInBy(MerchantIdentity merchant, DateTimeOffset at) =>
        Live == merchant.Live
        && (
            MerchantId == merchant.MerchantId
            || Partner(merchant.MerchantId) is { } partner
                && (
                    partner.State == PartnershipRow.Accepted
                    || (partner.State == PartnershipRow.Ended && partner.EndsAt > at)
                )
        );

    public LoyaltyTerms ToTerms() => StoredJson.Read<LoyaltyTerms>(Terms);

    public LoyaltyProgramView ToView()
    {
        var terms = ToTerms();
        return new(
            ProgramId,
            Name,
            Kernel.Currency.Parse(Currency),
            State,
            terms.Earn,
            terms.PointValue,
            terms.TimeZone,
            terms.Rounding,
            terms.Expiry,
            terms.Negative,
            terms.Locations,
            terms.Tiers,
            terms.ReturnWindowDays,
            Partners is null ? [] : PartnerView.ReadAll(Partners),
            Reference,
            Version,
            CreatedAt
        );
    }
}
