using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// After kills under load: nothing that was acknowledged is lost, nothing was done twice, nothing is stuck.
/// </summary>
internal sealed class Aftermath(CrashStack stack, Till till, CancellationToken cancel)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    public async Task<IReadOnlyList<string>> LookAsync(
        IReadOnlyDictionary<string, Acknowledged> answers,
        IReadOnlyList<SoldCard> cards,
        TimeSpan limit
    )
    {
        var clock = Stopwatch.StartNew();
        List<string> stuck;
        while ((stuck = await StuckAsync()).Count > 0 && clock.Elapsed < limit)
        {
            await Task.Delay(Poll, cancel);
        }

        return
        [
            .. stuck,
            .. await LostAsync(answers),
            .. await DoubledAsync(),
            .. await CardsAsync(cards),
            .. await CrashMatrix.BooksAsync(stack, cancel, patient: true),
        ];
    }

    /// <summary>Every redemption and run is over, every event was taken by those who count it.</summary>
    private async Task<List<string>> StuckAsync()
    {
        var stuck = new List<string>();
        await ExpectAsync(
            stuck,
            "redemptions are open",
            "giftcard",
            "SELECT count(*) FROM redemptions WHERE state IN ('authorizing', 'held', 'confirming', 'releasing')"
        );
        await ExpectAsync(
            stuck,
            "runs are not finished",
            "giftcard",
            """
            SELECT count(*) FROM redemptions r JOIN redemption_runs n ON n.redemption_id = r.redemption_id AND n.generation = r.run_generation
             WHERE n.state <> 'finished'
            """
        );
        await ExpectAsync(
            stuck,
            "refunds are pending",
            "giftcard",
            "SELECT count(*) FROM redemption_refunds WHERE state = 'pending'"
        );
        await ExpectAsync(
            stuck,
            "events of giftcard are not published",
            "giftcard",
            "SELECT count(*) FROM outbox_events"
        );
        await ExpectAsync(
            stuck,
            "events of the ledger are not published",
            "ledger",
            "SELECT count(*) FROM outbox_events"
        );
        var spent = await stack.SqlAsync(
            "giftcard",
            "SELECT count(*), coalesce(sum(captured), 0) FROM redemptions WHERE captured > 0",
            cancel
        );
        var counted = await stack.SqlAsync(
            "analytics",
            "SELECT count(*), coalesce(sum(amount), 0) FROM facts WHERE kind = 'redeemed'",
            cancel
        );
        if (spent != counted)
        {
            stuck.Add($"analytics counts {counted} instead of {spent}");
        }

        await ExpectAsync(
            stuck,
            "mails are pending",
            "notification",
            "SELECT count(*) FROM notifications WHERE state IN ('pending', 'dead')"
        );
        return stuck;
    }

    /// <summary>
    /// What a till was told stands in the books. A hold that was only acknowledged may have been decided since.
    /// </summary>
    private async Task<IEnumerable<string>> LostAsync(IReadOnlyDictionary<string, Acknowledged> answers)
    {
        var rows = await stack.SqlAsync(
            "giftcard",
            "SELECT reference, state, captured, refunded FROM redemptions WHERE state <> 'refused'",
            cancel
        );
        var known = rows.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(r => r.Split('|'))
            .ToDictionary(r => r[0], StringComparer.Ordinal);
        return answers
            .Where(a =>
                !known.TryGetValue(a.Key, out var row)
                || a.Value.State != "held"
                    && string.Create(
                        CultureInfo.InvariantCulture,
                        $"{a.Value.State}|{a.Value.Captured}|{a.Value.Refunded}"
                    ) != string.Join('|', row[1..])
            )
            .Select(a =>
                $"{a.Key} ({a.Value.Id}) was acknowledged as {a.Value} and is {string.Join('|', known.GetValueOrDefault(a.Key) ?? ["absent"])}"
            );
    }

    private async Task<List<string>> DoubledAsync()
    {
        var doubled = new List<string>();
        await ExpectAsync(
            doubled,
            "redemptions have two holds",
            "ledger",
            "SELECT count(*) FROM (SELECT 1 FROM holds GROUP BY reference HAVING count(*) > 1) d"
        );
        await ExpectAsync(
            doubled,
            "holds were captured twice",
            "ledger",
            "SELECT count(*) FROM (SELECT 1 FROM transactions WHERE hold_id IS NOT NULL GROUP BY hold_id HAVING count(*) > 1) d"
        );
        await ExpectAsync(
            doubled,
            "captures were refunded twice",
            "ledger",
            "SELECT count(*) FROM (SELECT 1 FROM transactions WHERE reverses IS NOT NULL GROUP BY reverses HAVING count(*) > 1) d"
        );
        return doubled;
    }

    /// <summary>No card gave more than it had, and each has what its redemptions left.</summary>
    private async Task<IEnumerable<string>> CardsAsync(IReadOnlyList<SoldCard> cards)
    {
        var rows = await stack.SqlAsync(
            "giftcard",
            "SELECT gift_card_id, sum(captured - refunded) FROM redemption_legs GROUP BY gift_card_id",
            cancel
        );
        var total = rows.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Sum(r => long.Parse(r.Split('|')[1], CultureInfo.InvariantCulture));
        long left = 0;
        var wrong = new List<string>();
        foreach (var card in cards)
        {
            var now = await till.CardAsync(card, cancel);
            left += now.Number("balance.amount") ?? 0;
            if (now.Number("balance.amount") is null or < 0 || now.Number("held.amount") != 0)
            {
                wrong.Add($"card {card.Id} has {now.Number("balance.amount")}, held {now.Number("held.amount")}");
            }
        }

        var sold = cards.Count * Till.CardValue;
        return left + total == sold ? wrong : [.. wrong, $"cards of {sold} have {left} left after {total} were spent"];
    }

    private async Task ExpectAsync(List<string> wrong, string what, string database, string count)
    {
        if (await stack.SqlAsync(database, count, cancel) is not "0" and var some)
        {
            wrong.Add($"{some} {what}");
        }
    }
}
