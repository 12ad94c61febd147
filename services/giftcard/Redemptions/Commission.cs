namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// What another merchant of a coalition leaves to the issuer: the basis points of each programme of what its cards
/// paid, rounded down, programmes with one rate together. Pure.
/// </summary>
internal static class Commission
{
    private const int WholeBasisPoints = 10_000;

    /// <summary>The commission on what the legs pay. Legs that are not named pay nothing.</summary>
    public static long Of(IReadOnlyList<LegRow> legs, IReadOnlyList<long> paid) =>
        Of([.. legs.Select(l => l.CommissionBasisPoints)], paid);

    /// <summary>The commission on what is paid at each rate, in basis points.</summary>
    public static long Of(IReadOnlyList<int> rates, IReadOnlyList<long> paid) =>
        rates
            .Zip(paid)
            .GroupBy(l => l.First, l => l.Second)
            .Sum(rate => (long)((Int128)rate.Sum() * rate.Key / WholeBasisPoints));

    /// <summary>The commission on what was captured and not given back; while it is held, on what is held.</summary>
    public static long Left(IReadOnlyList<LegRow> legs, bool isHeld) =>
        Of(legs, [.. legs.Select(l => isHeld ? l.Held : l.Captured - l.Refunded)]);

    /// <summary>
    /// What of the commission goes back with a refund: so much that what stays is the commission on what stays paid.
    /// The last refund returns the last cent.
    /// </summary>
    /// <param name="legs">As they are, with what other refunds have set aside.</param>
    /// <param name="alreadyBack">What those other refunds give back of it.</param>
    public static long Back(IReadOnlyList<LegRow> legs, IReadOnlyList<RefundLeg> parts, long alreadyBack)
    {
        var part = parts.ToDictionary(p => p.Position, p => p.Amount);
        var all = Of(legs, [.. legs.Select(l => l.Captured)]);
        var stays = Of(legs, [.. legs.Select(l => l.Captured - l.Refunded - part.GetValueOrDefault(l.Position))]);
        return Math.Clamp(all - alreadyBack - stays, 0, parts.Sum(p => p.Amount));
    }
}
