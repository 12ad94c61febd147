using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>What operators do to many runs at once.</summary>
internal readonly record struct RunBulkId(Guid Value) : IId<RunBulkId>
{
    public static string Prefix => "blk";

    public static RunBulkId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out RunBulkId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
