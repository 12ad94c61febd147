using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// What expiry took from a card and nobody has given back, by the account of the lot it was taken from.
/// </summary>
internal static class TakenByExpiry
{
    /// <summary>
    /// The kind of an operation that gives value back because its goods were handed over before the expiry.
    /// </summary>
    public const string OfflineReturn = "offline_return";

    public static async Task<IReadOnlyDictionary<AccountId, long>> ReadAsync(
        Database database,
        GiftCardId card,
        DateTimeOffset since,
        CancellationToken cancel
    )
    {
        var taken = new Dictionary<AccountId, long>();
        foreach (
            var row in await database.QueryAsync<Row>(Sql.Operations, new { GiftCardId = card, Since = since }, cancel)
        )
        {
            var plan = CardPlan.FromJson(row.Plan);
            // What a drain gave to a card, an heir for example, is not lost.
            var lost = plan.Drains.Where(d => d.ToCardId is null).Select(d => d.Source).ToHashSet();
            foreach (var drain in Drained(row).Where(d => lost.Contains(d.Source)))
            {
                taken[drain.Source] = taken.GetValueOrDefault(drain.Source) + drain.Amount;
            }

            foreach (var posting in plan.Postings)
            {
                taken[posting.Destination] = taken.GetValueOrDefault(posting.Destination) - posting.Amount;
            }
        }

        return taken.Where(t => t.Value > 0).ToDictionary();
    }

    private static DrainedAccount[] Drained(Row row) =>
        row.Drained is { } drained ? StoredJson.Read<DrainedAccount[]>(drained) : [];

    private sealed record Row(string Plan, string? Drained);

    private static class Sql
    {
        public const string Operations = """
            SELECT plan::text AS plan, drained::text AS drained
              FROM card_operations
             WHERE gift_card_id = @GiftCardId
               AND kind IN ('expire', 'expire_lots', 'leftover', 'extend', 'offline_return')
               AND state = 'done'
               AND finished_at > @Since
            """;
    }
}
