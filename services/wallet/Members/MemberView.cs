using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Members;

/// <summary>A membership. What finds the person is never shown, only whether there is something that does.</summary>
/// <param name="MergedInto">Whose the points are now.</param>
/// <param name="Owed">What was taken back beyond what there was; the next points settle it.</param>
/// <param name="Held">What open redemptions hold; it is not among the points.</param>
internal sealed record MemberView(
    MemberId Id,
    ProgramId ProgramId,
    string CardNumber,
    string State,
    MemberId? MergedInto,
    CustomerId? CustomerId,
    bool HasEmail,
    bool HasPhone,
    int? BirthMonth,
    string? Tier,
    DateTimeOffset? TierUntil,
    long Points,
    long Pending,
    long Owed,
    long Held,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "member";
}

/// <summary>A row of members, without what finds the person.</summary>
internal sealed class MemberRow
{
    public const string Active = "active";

    public const string Columns = """
        SELECT m.member_id, m.program_id, m.merchant_id, m.card_number, m.state, m.merged_into, m.customer_id,
               m.email_lookup IS NOT NULL AS has_email, m.phone_lookup IS NOT NULL AS has_phone,
               m.birth_month::int AS birth_month, m.tier, m.tier_until, m.points, m.pending, m.owed, m.held,
               m.purchases, m.version, m.created_at
          FROM members m
        """;

    public required MemberId MemberId { get; init; }

    public required ProgramId ProgramId { get; init; }

    /// <summary>The programme's.</summary>
    public required MerchantId MerchantId { get; init; }

    public required string CardNumber { get; init; }

    public required string State { get; init; }

    public MemberId? MergedInto { get; init; }

    public CustomerId? CustomerId { get; init; }

    public required bool HasEmail { get; init; }

    public required bool HasPhone { get; init; }

    public int? BirthMonth { get; init; }

    public string? Tier { get; set; }

    public DateTimeOffset? TierUntil { get; set; }

    public required long Points { get; set; }

    public required long Pending { get; set; }

    public required long Owed { get; set; }

    public required long Held { get; set; }

    public required long Purchases { get; set; }

    public required long Version { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public MemberView ToView() =>
        new(
            MemberId,
            ProgramId,
            CardNumber,
            State,
            MergedInto,
            CustomerId,
            HasEmail,
            HasPhone,
            BirthMonth,
            Tier,
            TierUntil,
            Points,
            Pending,
            Owed,
            Held,
            Version,
            CreatedAt
        );
}
