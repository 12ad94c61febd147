using System.Collections.Concurrent;
using System.Globalization;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// Kills under load: tills redeem, confirm, cancel and refund without a pause while one part after another, chosen by
/// chance, is killed. In the end every answer that a till got has to stand in the books, once, and nothing may be
/// stuck.
/// </summary>
internal sealed class Kills(CrashStack stack, Till till, int kills, int seed)
{
    public const int Full = 1000;
    public const int Short = 8;

    private const int Tills = 8;
    private const int Cards = 24;
    private static readonly string[] Victims =
    [
        "giftcard",
        "ledger",
        "sidecar",
        "postgres",
        "valkey",
        "giftcard",
        "ledger",
        "merchant",
        "notification",
        "analytics",
        "wallet",
    ];
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan HealLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(180);

    private readonly ConcurrentDictionary<string, Acknowledged> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<string> _surprises = [];
    private readonly Dictionary<string, int> _killed = new(StringComparer.Ordinal);
    private int _answered;

    public static async Task<Score> RunAsync(
        Checkout checkout,
        string? daprd,
        int kills,
        int seed,
        CancellationToken cancel
    )
    {
        Terminal.Say($"· {kills} kills under load, seed {seed}");
        await using var stack = await CrashStack.StartAsync(checkout, daprd, cancel);
        using var till = await Till.OpenAsync(stack, "Kills", [], cancel);
        var run = new Kills(stack, till, kills, seed);
        var faults = await Terminal.StepAsync(
            $"{kills} kills",
            async progress =>
            {
                var found = await run.RunAsync(progress, cancel);
                progress.Outcome = run.Summary(found);
                return found;
            },
            cancel
        );
        var next = $"./localplus test kills --kills {kills} --seed {seed}";
        return faults.Count == 0
            ? new Score(1, 0, [])
            : Score.FailedOnce(
                new Failure(CrashRuns.Chance, $"{kills} kills, seed {seed}", string.Join('\n', faults), next)
            );
    }

    private string Summary(IReadOnlyList<string> faults) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{_killed.Values.Sum()} kills ({string.Join(", ", _killed.OrderByDescending(k => k.Value).Select(k => $"{k.Key} {k.Value}"))}), "
                + $"{_answered} answers, {_answers.Count} redemptions, {faults.Count} faults"
        );

    private async Task<IReadOnlyList<string>> RunAsync(StepProgress progress, CancellationToken cancel)
    {
        var cards = new List<SoldCard>();
        for (var i = 0; i < Cards; i++)
        {
            cards.Add(await till.SellAsync(cancel));
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var tills = Enumerable
            .Range(0, Tills)
            .Select(n => SpendAsync(new Random(seed + n + 1), cards, n, over.Token, cancel))
            .ToArray();
        await KillAsync(new Random(seed), progress, cancel);
        await over.CancelAsync();
        progress.Detail = "the tills finish";
        await Task.WhenAll(tills);
        if (await stack.HealthyAsync(HealLimit, cancel) is { } trouble)
        {
            return [$"not healthy again: {trouble}"];
        }

        progress.Detail = "looking at the books";
        return [.. _surprises, .. await new Aftermath(stack, till, cancel).LookAsync(_answers, cards, EndLimit)];
    }

    /// <summary>
    /// The next kill waits for an answer since the last one, but not for long: what is healing is killed too.
    /// </summary>
    private async Task KillAsync(Random chance, StepProgress progress, CancellationToken cancel)
    {
        for (var kill = 1; kill <= kills; kill++)
        {
            var seen = Volatile.Read(ref _answered);
            var deadline = TimeProvider.System.GetUtcNow() + LongestWait;
            while (Volatile.Read(ref _answered) == seen && TimeProvider.System.GetUtcNow() < deadline)
            {
                await Task.Delay(Poll, cancel);
            }

            await Task.Delay(chance.Next(300), cancel);
            string victim;
            do
            {
                victim = Victims[chance.Next(Victims.Length)];
            } while (await stack.KillAsync([victim], cancel) == 0);

            _killed[victim] = _killed.GetValueOrDefault(victim) + 1;
            progress.Detail = $"{kill} of {kills}, {_answered} answers, last {victim}";
        }
    }

    /// <summary>
    /// One till: a redemption of a kind chosen by chance, from a card chosen by chance, again and again.
    /// </summary>
    private async Task SpendAsync(
        Random chance,
        List<SoldCard> cards,
        int number,
        CancellationToken over,
        CancellationToken cancel
    )
    {
        await Task.Yield();
        for (var i = 0; !over.IsCancellationRequested; i++)
        {
            var reference = string.Create(CultureInfo.InvariantCulture, $"kills-{number}-{i}");
            await RedeemAsync(cards[chance.Next(cards.Count)], chance.Next(1, 40), chance.Next(10), reference, cancel);
        }
    }

    private async Task RedeemAsync(SoldCard card, long amount, int kind, string reference, CancellationToken cancel)
    {
        var mode = kind < 4 ? "immediate" : "two_phase";
        var made = Count(await till.RedeemAsync(card, mode, amount, reference, Till.NewKey(), cancel), reference);
        if (made.Status != 201)
        {
            return;
        }

        var id = made.Text("id")!;
        _answers[reference] = new(id, made.Text("state")!, mode == "immediate" ? amount : 0, 0);
        switch (kind)
        {
            case 0:
                Note(
                    Count(await till.RefundAsync(id, amount, Till.NewKey(), cancel), reference),
                    new(id, "refunded", amount, amount)
                );
                break;
            case >= 4 and < 8:
                Note(
                    Count(await till.ConfirmAsync(id, Till.NewKey(), cancel), reference),
                    new(id, "completed", amount, 0)
                );
                break;
            case >= 8:
                Note(Count(await till.CancelAsync(id, Till.NewKey(), cancel), reference), new(id, "cancelled", 0, 0));
                break;
        }

        void Note(RestAnswer answer, Acknowledged then)
        {
            if (answer.Status is 200 or 201)
            {
                _answers[reference] = then;
            }
        }
    }

    private RestAnswer Count(RestAnswer answer, string reference)
    {
        Interlocked.Increment(ref _answered);
        // 202: decided, and carried out later. The cards run dry in the end.
        if (answer is not ({ Status: 200 or 201 or 202 } or { Status: 422, Code: "insufficient_balance" }))
        {
            _surprises.Add($"{reference} was answered {answer.Status} {answer.Body?.ToJsonString()}");
        }

        return answer;
    }
}

/// <summary>What a till was told of a redemption.</summary>
internal sealed record Acknowledged(string Id, string State, long Captured, long Refunded);
