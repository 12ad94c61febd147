using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>What a person has agreed to once.</summary>
internal readonly record struct ConsentId(Guid Value) : IId<ConsentId>
{
    public static string Prefix => "cns";

    public static ConsentId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out ConsentId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
