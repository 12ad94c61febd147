using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// An outage that was lived through: what did not hold, and how long it took until all was made good.
/// </summary>
internal sealed record OutageResult(string Name, string What, IReadOnlyList<string> Faults, TimeSpan Took);

/// <summary>
/// Parts that are away for long instead of dying at an instant: customers are served meanwhile, and what could not be
/// done is done by itself when the part is back.
/// </summary>
internal sealed class Outages(CrashStack stack, Till till, CancellationToken cancel)
{
    private const long Price = 100;
    private const string Everything =
        "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Served = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public async Task<IReadOnlyList<OutageResult>> RunAsync() =>
        [
            await LiveThroughAsync(
                "engine-wiped",
                "the workflow engine's database is emptied; a lost run starts again as generation 2",
                WipedAsync
            ),
            await LiveThroughAsync(
                "engine-away",
                "the workflow engine's database takes no connections",
                () => AwayAsync(CloseEngineAsync, OpenEngineAsync)
            ),
            await LiveThroughAsync(
                "valkey-frozen",
                "broker and cache hang",
                () => AwayAsync(() => FreezeAsync("valkey"), () => ThawAsync("valkey"))
            ),
            await LiveThroughAsync(
                "notification-frozen",
                "the notification service hangs",
                () => AwayAsync(() => FreezeAsync("notification"), () => ThawAsync("notification"))
            ),
        ];

    private async Task<OutageResult> LiveThroughAsync(string name, string what, Func<Task<List<string>>> live)
    {
        var clock = Stopwatch.StartNew();
        List<string> faults;
        try
        {
            faults = await live();
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            faults = [e.Message];
        }

        var line = $"crash {name, -28} {Terminal.Seconds(clock.Elapsed), 6}";
        if (faults.Count == 0)
        {
            Terminal.Good(line);
        }
        else
        {
            Terminal.Bad($"{line}\n    {string.Join("\n    ", faults)}");
        }

        return new(name, what, faults, clock.Elapsed);
    }

    private async Task<List<string>> WipedAsync()
    {
        var card = await till.SellAsync(cancel);
        var held = await till.RedeemAsync(card, "two_phase", Price, Till.NewKey(), Till.NewKey(), cancel);
        var id = held.Text("id")!;
        using var desk = Desk();
        var open = await EventuallyAsync(
            "the run waits",
            async () => (await RunAsync(desk, id)).Text("run.run_state") == "waiting"
        );
        await stack.SqlAsync("workflow", $"TRUNCATE {await stack.SqlAsync("workflow", Everything, cancel)}", cancel);
        await stack.KillAsync(["sidecar"], cancel);
        Expect(
            open,
            (await till.ConfirmAsync(id, Till.NewKey(), cancel)).Text("state"),
            "completed",
            "the confirm without a run"
        );
        await stack.HealthyAsync(Limit, cancel);
        var reason = new JsonObject { ["reason"] = "its engine was wiped" };
        await desk.PostAsync($"/ops/v1/runs/{id}/reconcile", reason, Till.NewKey(), cancel);
        open.AddRange(
            await EventuallyAsync(
                "generation 2 has finished",
                async () =>
                    await RunAsync(desk, id) is var run
                    && run.Text("run.run_state") == "finished"
                    && run.Number("run.generation") == 2
                    && run.Text("engine.status") == "completed"
            )
        );
        return open;
    }

    /// <summary>
    /// An immediate and a two-phase redemption while something is away; everything that follows once it is back.
    /// </summary>
    private async Task<List<string>> AwayAsync(Func<Task> leave, Func<Task> comeBack)
    {
        var card = await till.SellAsync(cancel);
        var open = new List<string>();
        var (first, second) = (Till.NewKey(), Till.NewKey());
        await leave();
        try
        {
            var clock = Stopwatch.StartNew();
            var immediate = await till.RedeemAsync(card, "immediate", Price, first, first, cancel);
            Expect(open, immediate.Text("state"), "completed", "an immediate redemption meanwhile");
            var held = await till.RedeemAsync(card, "two_phase", Price, second, second, cancel);
            Expect(open, held.Text("state"), "held", "a hold meanwhile");
            Expect(
                open,
                (await till.ConfirmAsync(held.Text("id")!, Till.NewKey(), cancel)).Text("state"),
                "completed",
                "its confirm meanwhile"
            );
            if (clock.Elapsed > Served)
            {
                open.Add($"the till had to wait {Terminal.Seconds(clock.Elapsed)}");
            }
        }
        finally
        {
            await comeBack();
        }

        var references = $"'{first}', '{second}'";
        open.AddRange(
            await EventuallyAsync(
                "both runs have finished",
                async () =>
                    await stack.SqlAsync(
                        "giftcard",
                        $"SELECT count(*) FROM redemptions r JOIN redemption_runs n USING (redemption_id) WHERE r.reference IN ({references}) AND n.state = 'finished'",
                        cancel
                    ) == "2"
            )
        );
        var ids = (
            await stack.SqlAsync(
                "giftcard",
                $"SELECT redemption_id FROM redemptions WHERE reference IN ({references})",
                cancel
            )
        ).Split('\n');
        open.AddRange(
            await EventuallyAsync(
                "both receipts are sent",
                async () =>
                    await stack.SqlAsync(
                        "notification",
                        $"SELECT count(*) FROM notifications WHERE state = 'sent' AND redemption_id IN ({string.Join(", ", ids.Select(i => $"'{i}'"))})",
                        cancel
                    ) == "2"
            )
        );
        return open;
    }

    private async Task CloseEngineAsync()
    {
        await stack.SqlAsync("postgres", "ALTER DATABASE workflow ALLOW_CONNECTIONS false", cancel);
        await stack.SqlAsync(
            "postgres",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'workflow'",
            cancel
        );
    }

    private Task OpenEngineAsync() =>
        stack.SqlAsync("postgres", "ALTER DATABASE workflow ALLOW_CONNECTIONS true", cancel);

    private Task FreezeAsync(string name) => SignalAsync(name, ProcessIdentity.SigStop);

    private Task ThawAsync(string name) => SignalAsync(name, ProcessIdentity.SigContinue);

    private Task SignalAsync(string name, int signal)
    {
        StackState.RunningOrFail(stack.Checkout).Processes.Single(p => p.Name == name).Identity.Signal(signal);
        return Task.CompletedTask;
    }

    private Rest Desk() => new(stack.Ports.GatewayUrl, Operators.Mint(stack.Checkout, "operator", "crash"), Limit);

    private Task<RestAnswer> RunAsync(Rest desk, string id) => desk.GetAsync($"/ops/v1/runs/{id}", cancel);

    private static void Expect(List<string> open, string? found, string wanted, string what)
    {
        if (found != wanted)
        {
            open.Add($"{what} is {found ?? "unanswered"} instead of {wanted}");
        }
    }

    private async Task<List<string>> EventuallyAsync(string what, Func<Task<bool>> holds)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > Limit)
            {
                return [$"not within {Limit.TotalSeconds:0} s: {what}"];
            }

            await Task.Delay(Poll, cancel);
        }

        return [];
    }
}
