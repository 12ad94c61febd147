using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rewards;

/// <summary>Something that points buy.</summary>
/// <param name="Stock">How many there are; absent: as many as are wanted.</param>
/// <param name="Given">How many were given.</param>
internal sealed record LoyaltyRewardView(
    LoyaltyRewardId Id,
    ProgramId ProgramId,
    string Name,
    string State,
    long Points,
    int? Stock,
    int Given,
    int? PerMember,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "loyalty_reward";
}

/// <summary>A row of loyalty_rewards.</summary>
internal sealed record LoyaltyRewardRow(
    LoyaltyRewardId RewardId,
    ProgramId ProgramId,
    string Name,
    string State,
    long Points,
    int? Stock,
    int Given,
    int? PerMember,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        SELECT r.reward_id, r.program_id, r.name, r.state, r.points, r.stock, r.given, r.per_member, r.version,
               r.created_at
          FROM loyalty_rewards r
        """;

    /// <summary>The rewards of programmes of the merchant's own, in its mode.</summary>
    public const string Own = $"""
        {Columns}
          JOIN loyalty_programs p
            ON p.program_id = r.program_id
         WHERE p.merchant_id = @MerchantId
           AND p.live = @Live
        """;

    public LoyaltyRewardView ToView() =>
        new(RewardId, ProgramId, Name, State, Points, Stock, Given, PerMember, Version, CreatedAt);
}
