using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Rewards;

/// <summary>A present that a merchant shows and puts on cards.</summary>
internal readonly record struct RewardId(Guid Value) : IId<RewardId>
{
    public static string Prefix => "rwd";

    public static RewardId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out RewardId id) => Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A reward's row.</summary>
internal sealed record RewardRow(
    RewardId RewardId,
    MerchantId MerchantId,
    string Name,
    string? Description,
    string? ImageUrl,
    string Status,
    long Amount,
    string Currency,
    int? ValidityDays,
    int? Quantity,
    int Granted,
    string? Reference,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        SELECT r.reward_id, r.merchant_id, r.name, r.description, r.image_url, r.status, r.amount, r.currency,
               r.validity_days, r.quantity, r.granted, r.reference, r.version, r.created_at
          FROM rewards r
        """;

    public RewardView ToView() =>
        new(
            RewardId,
            Name,
            Description,
            ImageUrl,
            Status,
            new(Amount, Kernel.Currency.Parse(Currency)),
            ValidityDays,
            Quantity,
            Granted,
            Reference,
            Version,
            CreatedAt
        );
}

/// <summary>A reward as the API shows it.</summary>
internal sealed record RewardView(
    RewardId Id,
    string Name,
    string? Description,
    string? ImageUrl,
    string Status,
    Money Amount,
    int? ValidityDays,
    int? Quantity,
    int Granted,
    string? Reference,
    long Version,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "reward";
}
