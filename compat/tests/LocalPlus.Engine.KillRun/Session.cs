using System.Diagnostics;
using Dapr.DurableTask.Protobuf;
using Grpc.Net.Client;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;

namespace LocalPlus.Engine.KillRun;

/// <summary>One kill run from the first start to the verdict.</summary>
internal sealed class Session(Options options, PostgresServer postgres, SidecarProcess sidecar, Killer killer)
{
    private const int KillsBetweenPauses = 20;

    private readonly string _prefix = $"k{options.Seed}";
    private readonly List<string> _complaints = [];
    private readonly long _begun = Stopwatch.GetTimestamp();
    private TimeSpan _slowest;
    private int _started;

    public async Task<int> RunAsync()
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{sidecar.GrpcPort}");
        var driver = new Driver(new TaskHubSidecarService.TaskHubSidecarServiceClient(channel), _prefix, options.Seed);
        var audit = new Audit(postgres.ConnectionString);
        await MakeTablesAsync(driver);
        await audit.WatchAsync();

        using var over = new CancellationTokenSource();
        var lanes = Enumerable.Range(0, Options.InFlight).Select(_ => LaneAsync(driver, over.Token)).ToArray();
        await KillAsync(driver);
        await EndAsync(driver, lanes, over);
        return await JudgeAsync(driver, audit, Stopwatch.GetElapsedTime(_begun));
    }

    // The first run makes the engine make its tables, which the audit watches.
    private async Task MakeTablesAsync(Driver driver)
    {
        _started = 1;
        await driver.RunAsync(0, CancellationToken.None);
    }

    // Runs are spread over the kills: the last begin when the last kill comes.
    private async Task LaneAsync(Driver driver, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var number = Interlocked.Increment(ref _started) - 1;
                if (number >= options.Runs)
                {
                    return;
                }

                while (killer.Kills < options.Kills && number > (long)options.Runs * (killer.Kills + 1) / options.Kills)
                {
                    await Task.Delay(5, cancel);
                }

                await driver.RunAsync(number, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The verdict names the runs that did not end.
        }
    }

    private async Task KillAsync(Driver driver)
    {
        var random = new Random(options.Seed + 1);
        while (killer.Kills < options.Kills)
        {
            // Most kills find something at work; some come while the last one is being made good.
            if (random.Next(4) > 0)
            {
                await killer.BackAsync(Options.GiveUp, wanted: 1);
            }

            await Task.Delay(random.Next(50, 400));
            await killer.KillSomethingAsync();
            if (killer.Kills % KillsBetweenPauses == 0)
            {
                await QuietAsync(driver);
                Console.WriteLine(
                    $"{Stopwatch.GetElapsedTime(_begun).TotalSeconds:F0} s: {killer.Kills} kills, {driver.Acknowledged} started, {driver.Open.Count} open, slowest recovery {_slowest.TotalSeconds:F1} s"
                );
            }
        }
    }

    // All processes are back: the runs that are open now must end soon.
    private async Task QuietAsync(Driver driver)
    {
        await killer.BackAsync(Options.GiveUp);
        var begun = Stopwatch.GetTimestamp();
        var open = driver.Open.Keys.ToList();
        while (open.Exists(driver.Open.ContainsKey) && Stopwatch.GetElapsedTime(begun) < Options.GiveUp)
        {
            await Task.Delay(10);
        }

        var took = Stopwatch.GetElapsedTime(begun);
        _slowest = took > _slowest ? took : _slowest;
        if (took > Options.Recovery)
        {
            _complaints.Add(
                $"after {killer.Kills} kills open runs took {took.TotalSeconds:F1} s to end: "
                    + string.Join(" ", open.Where(driver.Open.ContainsKey).Take(5))
            );
        }
    }

    private async Task EndAsync(Driver driver, Task[] lanes, CancellationTokenSource over)
    {
        await QuietAsync(driver);
        var all = Task.WhenAll(lanes);
        await Task.WhenAny(all, Task.Delay(Options.GiveUp));
        await over.CancelAsync();
        await Task.WhenAny(all, Task.Delay(Options.GiveUp));
    }

    // Events that came for a run that had ended are cleared away after the caller has his answer.
    private static async Task<List<string>> LeftoversAsync(Audit audit)
    {
        var begun = Stopwatch.GetTimestamp();
        var left = await audit.LeftoversAsync();
        while (left.Count > 0 && Stopwatch.GetElapsedTime(begun) < Options.Recovery)
        {
            await Pulse.NextAsync();
            left = await audit.LeftoversAsync();
        }

        return left;
    }

    private async Task<int> JudgeAsync(Driver driver, Audit audit, TimeSpan took)
    {
        var ended = await audit.EndedAsync();
        var ids = Enumerable.Range(1, options.Runs - 1).Select(number => Driver.IdOf(_prefix, number)).ToList();
        var stuck = driver.Open.Select(open => $"{open.Key} ({open.Value})").ToList();
        var lost = ids.Where(id => !ended.Contains(id) && !driver.Open.ContainsKey(id)).ToList();
        var twice = await audit.WrongEndsAsync();
        var left = await LeftoversAsync(audit);
        Console.WriteLine(
            $"{options.Runs} runs and {ended.Count + 1 - options.Runs} children in {took.TotalSeconds:F0} s; kills: "
                + string.Join(", ", killer.ByTarget.Select(pair => $"{pair.Key} {pair.Value}"))
        );
        Console.WriteLine(
            $"lost {lost.Count}, stuck {stuck.Count}, ended twice or wrongly {twice.Count + driver.Wrong.Count}, "
                + $"left in the tables {left.Count}, slowest recovery {_slowest.TotalSeconds:F1} s"
        );
        foreach (
            var complaint in _complaints
                .Concat(lost.Select(id => $"lost: {id}"))
                .Concat(stuck.Select(id => $"stuck: {id}"))
                .Concat(twice)
                .Concat(driver.Wrong)
                .Concat(left)
                .Take(40)
        )
        {
            Console.WriteLine($"  {complaint}");
        }

        foreach (var id in options.Verbose ? driver.Open.Keys.Take(10) : [])
        {
            (await audit.ExplainAsync(id)).ForEach(Console.WriteLine);
        }

        var failed = lost.Count + stuck.Count + twice.Count + driver.Wrong.Count + left.Count + _complaints.Count;
        Console.WriteLine($"{options.Runs - Math.Min(options.Runs, failed)} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }
}
