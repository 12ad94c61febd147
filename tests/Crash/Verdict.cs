namespace LocalPlus.Tests.Crash;

/// <summary>
/// Looks at every side of a cell's redemption: its own table and timeline, its run and the engine's history, the
/// ledger, the card, the events' consumers. Each says what is not yet, or never will be, as it has to be.
/// </summary>
internal sealed class Verdict(CrashStack stack, Till issuer, CellStory story, CancellationToken cancel)
{
    private string _uuid = "";

    /// <summary>What does not hold; empty when all of it does.</summary>
    public async Task<IReadOnlyList<string>> OpenAsync()
    {
        try
        {
            if (story.IsBatch)
            {
                return await BatchAsync();
            }

            return await RedemptionAsync() is { Count: > 0 } open ? open
                : await LedgerAsync() is { Count: > 0 } wrong ? wrong
                : [.. await RunAsync(), .. await CardAsync()];
        }
        catch (CliFailure away)
        {
            return [away.Message];
        }
    }

    private async Task<List<string>> RedemptionAsync()
    {
        var ending = story.Ending;
        var rows = await stack.SqlAsync(
            "giftcard",
            $"""
            SELECT r.redemption_id, r.state, r.captured, r.refunded, n.state,
                   (SELECT string_agg(e.kind, ',' ORDER BY e.kind) FROM redemption_events e WHERE e.redemption_id = r.redemption_id),
                   (SELECT count(*) FROM outbox_events)
              FROM redemptions r
              LEFT JOIN redemption_runs n ON n.redemption_id = r.redemption_id AND n.generation = r.run_generation
             WHERE r.reference = '{story.Reference}'
            """,
            cancel
        );
        _uuid = rows.Split('|')[0];
        return Compare(
            "redemption",
            rows,
            $"{_uuid}|{ending.State}|{ending.Captured}|{ending.Refunded}|finished|{ending.Timeline}|0"
        );
    }

    /// <summary>
    /// At most one hold; one capture or one release, or spent at once; what is refunded is refunded once.
    /// </summary>
    private async Task<List<string>> LedgerAsync()
    {
        var ending = story.Ending;
        var rows = await stack.SqlAsync(
            "ledger",
            $"""
            SELECT k.state, k.captured, k.transactions,
                   (SELECT coalesce(sum(e.amount), 0)
                      FROM ledger_entries e
                      JOIN transactions t USING (transaction_id)
                     WHERE e.amount > 0 AND t.reverses = k.transaction_id)
              FROM (SELECT h.state, h.captured, h.transaction_id,
                           (SELECT count(*) FROM transactions t WHERE t.hold_id = h.hold_id) AS transactions
                      FROM holds h
                     WHERE h.reference = '{story.Id}'
                     UNION ALL
                    SELECT 'captured', e.spent, t.transaction_id, 1
                      FROM transactions t
                     CROSS JOIN LATERAL (SELECT sum(amount) AS spent FROM ledger_entries
                                          WHERE transaction_id = t.transaction_id AND amount > 0) e
                     WHERE t.reference = '{story.Id}' AND t.hold_id IS NULL) k
            """,
            cancel
        );
        var captured = ending.Captured > 0;
        return Compare(
            "ledger",
            rows,
            $"{(captured ? "captured" : "released")}|{ending.Captured}|{(captured ? 1 : 0)}|{ending.Refunded}"
        );
    }

    /// <summary>What operators see is what the ledger says, and the engine's history has no gap.</summary>
    private async Task<List<string>> RunAsync()
    {
        using var desk = new Rest(
            stack.Ports.GatewayUrl,
            Operators.Mint(stack.Checkout, "viewer", "crash"),
            TimeSpan.Zero
        );
        var run = await desk.GetAsync($"/ops/v1/runs/{story.Id}", cancel);
        var open = Compare(
            "operator's view",
            $"{run.Text("run.run_state")} {run.Text("engine.status")}",
            "finished completed"
        );
        var legs = run.At("ledger.legs")?.AsArray().Sum(l => (long?)l?["captured"]?["amount"] ?? 0) ?? -1;
        open.AddRange(Compare("operator's view of the ledger", $"{legs}", $"{story.Ending.Captured}"));
        var history = run.At("engine.history")?.AsArray().Select(h => (string?)h?["event_type"] ?? "").ToList() ?? [];
        // What was decided at once ends in the turn that calls its one activity, and nobody waits for the result.
        var asked = history.Count(h => h == "task_scheduled");
        var done = history.Count(h => h is "task_completed" or "task_failed");
        open.AddRange(
            Compare(
                "engine's history",
                $"{history.Count(h => h == "execution_started")} start, {asked - done} open, {history.Count(h => h == "execution_completed")} end",
                $"1 start, {(story.IsDecidedAtOnce ? asked : 0)} open, 1 end"
            )
        );
        return open;
    }

    /// <summary>Each of the cards that were ordered once, and nothing left of its task.</summary>
    private async Task<List<string>> BatchAsync()
    {
        var rows = await stack.SqlAsync(
            "giftcard",
            $"""
            SELECT b.state, b.made, (SELECT count(*) FROM gift_cards c WHERE c.batch_id = b.batch_id),
                   (SELECT string_agg(t.state, ',') FROM tasks t WHERE t.dedup_key = b.batch_id::text)
              FROM card_batches b
             WHERE b.reference = '{story.Reference}'
            """,
            cancel
        );
        return Compare("batch", rows, $"ready|{CellStory.Ordered}|{CellStory.Ordered}|done");
    }

    /// <summary>
    /// One effect of each event, however often it was delivered.
    /// </summary>
    public async Task<IReadOnlyList<string>> ConsumersAsync()
    {
        if (story.IsBatch)
        {
            return [];
        }

        var ending = story.Ending;
        var notified = await stack.SqlAsync(
            "notification",
            $"SELECT kind, count(*) FROM notifications WHERE redemption_id = '{_uuid}' GROUP BY kind ORDER BY kind",
            cancel
        );
        var counted = await stack.SqlAsync(
            "analytics",
            $"SELECT kind, count(*), sum(amount) FROM facts WHERE subject = '{story.Id}' GROUP BY kind ORDER BY kind",
            cancel
        );
        var captured = ending.Captured > 0 ? "redemption_completed|1" : "";
        var refunded = ending.Refunded > 0 ? "\nredemption_refunded|1" : "";
        var facts = ending.Captured > 0 ? $"redeemed|1|{ending.Captured}" : "";
        var given = ending.Refunded > 0 ? $"\nrefunded|1|{ending.Refunded}" : "";
        return
        [
            .. Compare("notification", notified, captured + refunded),
            .. Compare("analytics", counted, facts + given),
            .. story.IsMailed ? await MailAsync() : [],
            .. story.Receiver is { } receiver ? await WebhookAsync(receiver) : [],
        ];
    }

    /// <summary>The card's mail and the receipt, one each: what came twice has the same Message-ID.</summary>
    private async Task<List<string>> MailAsync()
    {
        var state = await stack.SqlAsync(
            "notification",
            $"SELECT state, count(*) FROM notifications WHERE redemption_id = '{_uuid}' GROUP BY state",
            cancel
        );
        var mails = Mail.AddressedTo(stack.Checkout, story.Card.Email).Select(mail => mail.Id).Distinct().Count();
        return Compare("mail", $"{state}, {mails} mails", "sent|1, 2 mails");
    }

    /// <summary>The endpoint has the event, under one id however often it came, and nothing waits for it.</summary>
    private async Task<List<string>> WebhookAsync(Receiver receiver)
    {
        var state = await stack.SqlAsync(
            "notification",
            $"""
            SELECT d.state, count(*), (SELECT count(*) FROM webhook_queue q WHERE q.webhook_id = w.webhook_id)
              FROM webhook_deliveries d
              JOIN webhook_endpoints w USING (webhook_id)
             WHERE w.url = '{receiver.Url}'
             GROUP BY d.state, w.webhook_id
            """,
            cancel
        );
        return Compare(
            "webhook",
            $"{state}, {string.Join(' ', receiver.Types)}, {receiver.Forged} forged",
            "delivered|1|0, redemption.completed, 0 forged"
        );
    }

    private async Task<List<string>> CardAsync()
    {
        var card = await issuer.CardAsync(story.Card, cancel);
        var expected = Till.CardValue - story.Ending.Captured + story.Ending.Refunded;
        return Compare("card", $"{card.Number("balance.amount")} {card.Number("held.amount")}", $"{expected} 0");
    }

    private static List<string> Compare(string what, string is_, string should) =>
        is_ == should
            ? []
            : [$"{what} is [{is_.ReplaceLineEndings("; ")}] instead of [{should.ReplaceLineEndings("; ")}]"];
}
