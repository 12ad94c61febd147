using LocalPlus.Kernel;

namespace LocalPlus.Wallet;

/// <summary>A rule by which points are earned.</summary>
internal readonly record struct EarningRuleId(Guid Value) : IId<EarningRuleId>
{
    public static string Prefix => "erl";

    public static EarningRuleId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out EarningRuleId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>What a purchase has earned.</summary>
internal readonly record struct EarningId(Guid Value) : IId<EarningId>
{
    public static string Prefix => "ern";

    public static EarningId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out EarningId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>What was taken back because a purchase was refunded.</summary>
internal readonly record struct EarningRefundId(Guid Value) : IId<EarningRefundId>
{
    public static string Prefix => "erf";

    public static EarningRefundId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out EarningRefundId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>One change of a member's points.</summary>
internal readonly record struct MovementId(Guid Value) : IId<MovementId>
{
    public static string Prefix => "mov";

    public static MovementId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out MovementId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>Something that points buy.</summary>
internal readonly record struct LoyaltyRewardId(Guid Value) : IId<LoyaltyRewardId>
{
    public static string Prefix => "lrw";

    public static LoyaltyRewardId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out LoyaltyRewardId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>What a member has got for points.</summary>
internal readonly record struct VoucherId(Guid Value) : IId<VoucherId>
{
    public static string Prefix => "vch";

    public static VoucherId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out VoucherId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
