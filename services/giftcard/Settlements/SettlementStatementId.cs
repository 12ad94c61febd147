using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>A month between an issuer and another merchant, as it was closed.</summary>
internal readonly record struct SettlementStatementId(Guid Value) : IId<SettlementStatementId>
{
    public static string Prefix => "stm";

    public static SettlementStatementId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out SettlementStatementId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
