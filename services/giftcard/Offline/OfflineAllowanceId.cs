using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>What one terminal may take while it is offline.</summary>
internal readonly record struct OfflineAllowanceId(Guid Value) : IId<OfflineAllowanceId>
{
    public static string Prefix => "alw";

    public static OfflineAllowanceId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out OfflineAllowanceId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
