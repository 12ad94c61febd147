using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Team;

/// <summary>One of a merchant's people.</summary>
internal readonly record struct TeamMemberId(Guid Value) : IId<TeamMemberId>
{
    public static string Prefix => "usr";

    public static TeamMemberId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out TeamMemberId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
