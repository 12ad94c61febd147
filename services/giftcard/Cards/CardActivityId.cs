using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>One movement of a card's value.</summary>
internal readonly record struct CardActivityId(Guid Value) : IId<CardActivityId>
{
    public static string Prefix => "act";

    public static CardActivityId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out CardActivityId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}
