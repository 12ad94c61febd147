using System.Diagnostics;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// What became of a cell: what did not hold (nothing, when it passed), and how long from the kill to the end state.
/// </summary>
/// <param name="Started">Of it, how long until all processes ran again.</param>
internal sealed record CellResult(Cell Cell, IReadOnlyList<string> Faults, TimeSpan Recovered, TimeSpan Started)
{
    /// <summary>Processes that take longer to start have a slow machine, which no recovery answers for.</summary>
    private static readonly TimeSpan QuickStart = TimeSpan.FromSeconds(5);

    public TimeSpan OnQuickMachine => Started > QuickStart ? Recovered - Started + QuickStart : Recovered;

    public bool Passed => Faults.Count == 0;

    private string Took => $"{Terminal.Seconds(Recovered)}, {Terminal.Seconds(Started)} of it to start";

    /// <summary>Slow for the second time.</summary>
    public CellResult After(CellResult first, TimeSpan limit) =>
        this with
        {
            Faults = [.. Faults, $"took {first.Took}, and again {Took}; at most {Terminal.Seconds(limit)}"],
        };
}

/// <summary>
/// Runs one cell: a till's request comes to the instant, the victim is killed there, everything heals by itself, the
/// till repeats its request until it has an answer, and then <see cref="Verdict"/> looks at every side.
/// </summary>
internal sealed class CellRunner(CrashStack stack, Till issuer)
{
    public const long Price = 700;
    public const long Returned = 300;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReachLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RedeliveryLimit = TimeSpan.FromSeconds(120);

    private int _number;

    public async Task<CellResult> RunAsync(Cell cell, CancellationToken cancel)
    {
        try
        {
            return await KillAsync(cell, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            await stack.HealthyAsync(HealLimit, cancel);
            return new(cell, [e.Message], TimeSpan.Zero, TimeSpan.Zero);
        }
    }

    private async Task<CellResult> KillAsync(Cell cell, CancellationToken cancel)
    {
        var reference = $"cell-{Interlocked.Increment(ref _number)}-{Till.NewKey()[..8]}";
        var (till, foreign) = cell.Step.Name switch
        {
            "rules" => await ForeignAsync(reference, cancel),
            // An endpoint of its own, which nobody else's events go to.
            "webhook" => (await Till.OpenAsync(stack, reference, [], cancel), null),
            _ => (issuer, null),
        };
        using var _ = till == issuer ? null : till;
        using var __ = foreign;
        using var receiver = cell.Step.Name == "webhook" ? Receiver.Start() : null;
        if (receiver is not null)
        {
            await till.TellAsync(receiver, cancel);
        }

        var card = await (foreign ?? till).SellAsync(cancel);
        var story = new CellStory(till, card, cell.Step.Name, reference, receiver);
        await story.BeginAsync(cancel);
        await QuietAsync(cell, card, cancel);

        if (cell.Failpoint is { } point)
        {
            await stack.ArmAsync(point, cancel);
        }

        var acting = story.ActAsync(cancel);
        await ReachedAsync(cell, acting, story, cancel);
        await stack.KillAsync(cell.Killed, cancel);
        var clock = Stopwatch.StartNew();
        if (cell.Failpoint is { } held)
        {
            await stack.ReleaseAsync(held, cancel);
        }

        var answer = await acting;
        var faults = new List<string>();
        if (await stack.HealthyAsync(HealLimit, cancel) is { } trouble)
        {
            faults.Add($"not healthy again: {trouble}");
        }

        var started = clock.Elapsed;
        await story.EndAsync(answer, cancel);
        var verdict = new Verdict(stack, foreign ?? till, story, cancel);
        faults.AddRange(await OverAsync(verdict.OpenAsync, EndLimit, cancel));
        // The broker gives an event that was under way to a dead sidecar to the next one only after its own time.
        faults.AddRange(await OverAsync(verdict.ConsumersAsync, RedeliveryLimit, cancel));

        var recovered = clock.Elapsed;
        faults.AddRange(await story.RepeatAsync(answer, cancel));
        return new(cell, faults, recovered, started);
    }

    /// <summary>What is still open at the end of the limit.</summary>
    private static async Task<IReadOnlyList<string>> OverAsync(
        Func<Task<IReadOnlyList<string>>> look,
        TimeSpan limit,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        IReadOnlyList<string> open;
        while ((open = await look()).Count > 0 && clock.Elapsed < limit)
        {
            await Task.Delay(Poll, cancel);
        }

        return open;
    }

    /// <summary>
    /// Another merchant at whose shop the card is good and whose account in the issuer's books is not open yet.
    /// </summary>
    private async Task<(Till Spender, Till Issuer)> ForeignAsync(string name, CancellationToken cancel)
    {
        var spender = await Till.OpenAsync(stack, $"{name} guest", [], cancel);
        var issuer = await Till.OpenAsync(stack, $"{name} issuer", [spender.Merchant], cancel);
        await spender.AcceptAsync(issuer.Program, cancel);
        return (spender, issuer);
    }

    /// <summary>What went before must not come to the instant first.</summary>
    private async Task QuietAsync(Cell cell, SoldCard card, CancellationToken cancel)
    {
        await UntilAsync(
            "the outbox is empty",
            async () => await stack.SqlAsync("giftcard", "SELECT count(*) FROM outbox_events", cancel) == "0",
            cancel
        );
        if (cell.Step.Name is "notify" or "mail")
        {
            await UntilAsync(
                "the mail about the card is sent",
                async () =>
                    await stack.SqlAsync(
                        "notification",
                        "SELECT count(*) FROM notifications WHERE state = 'pending'",
                        cancel
                    ) == "0"
                    && Mail.AddressedTo(stack.Checkout, card.Email).Count > 0,
                cancel
            );
        }
    }

    private async Task ReachedAsync(Cell cell, Task<RestAnswer> acting, CellStory story, CancellationToken cancel)
    {
        if (cell.Failpoint is { } point)
        {
            await UntilAsync(
                $"{point.Failpoint} in {point.App} is reached",
                () => stack.IsReachedAsync(point, cancel),
                cancel
            );
            return;
        }

        await acting;
        switch (cell.Step.Name)
        {
            case "complete":
                await UntilAsync("the run is over", () => story.IsRunOverAsync(stack, cancel), cancel);
                break;
            case "notify":
                await UntilAsync("the mail is on its way", () => story.IsNotifiedAsync(stack, cancel), cancel);
                break;
        }
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> holds, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > ReachLimit)
            {
                throw new CliFailure(
                    ExitCodes.Failed,
                    $"not within {ReachLimit.TotalSeconds:0} s: {what}",
                    "./localplus test crash --cell CELL"
                );
            }

            await Task.Delay(Poll, cancel);
        }
    }
}
