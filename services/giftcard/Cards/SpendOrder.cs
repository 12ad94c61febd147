namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// In which order a card's value is spent: what expires first goes first, and among equals what the holder did not pay
/// for (promo, then goodwill) before what was refunded and paid. So a holder loses as little as possible to expiry.
/// </summary>
internal static class SpendOrder
{
    private static readonly string[] Kinds = ["promo", "goodwill", "refund", "paid"];

    public static IEnumerable<LotRow> Of(IEnumerable<LotRow> lots, DateTimeOffset now) =>
        lots.Where(l => IsSpendable(l, now))
            .OrderBy(l => l.ExpiresAt ?? DateTimeOffset.MaxValue)
            .ThenBy(l => Array.IndexOf(Kinds, l.Kind))
            .ThenBy(l => l.LotId.Value);

    public static bool IsSpendable(LotRow lot, DateTimeOffset now) =>
        lot.ExpiredAt is null && (lot.ExpiresAt is null || lot.ExpiresAt > now);

    /// <summary>
    /// Splits an amount over parts that can take at most their own capacity, first come first filled. What does not fit
    /// is left over.
    /// </summary>
    public static IReadOnlyList<long> Fill(long amount, IEnumerable<long> capacities)
    {
        var parts = new List<long>();
        foreach (var capacity in capacities)
        {
            var part = Math.Clamp(amount, 0, Math.Max(0, capacity));
            parts.Add(part);
            amount -= part;
        }

        return parts;
    }
}
