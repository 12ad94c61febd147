using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// Records runs of the workflow on a stack of its own, one for each way through it, as operators export them. Made once
/// for each released version; the replay test keeps the code to them for ever.
/// </summary>
internal sealed class Recordings(CrashStack stack, Till till, Rest desk, string folder, CancellationToken cancel)
{
    private const string AtOnce = "immediate";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static async Task RunAsync(Checkout checkout, IReadOnlyList<string> names, CancellationToken cancel)
    {
        var folder = Path.Combine(checkout.Root, "workflows", "histories");
        await using var stack = await CrashStack.StartAsync(checkout, null, cancel);
        using var till = await Till.OpenAsync(stack, "Recordings", [], cancel);
        using var desk = new Rest(stack.Ports.GatewayUrl, Operators.Mint(stack.Checkout, "admin", "recorder"), Limit);
        await new Recordings(stack, till, desk, folder, cancel).RecordAsync(names);
    }

    /// <summary>Every way through a run, or those that were named.</summary>
    private async Task RecordAsync(IReadOnlyList<string> names)
    {
        (string Name, Func<Task<string>> Play)[] ways =
        [
            (AtOnce, () => RedeemAsync("immediate", 0)),
            ("confirm", () => DecidedAsync(id => till.ConfirmAsync(id, Till.NewKey(), cancel))),
            ("partial-confirm", () => DecidedAsync(id => till.ConfirmAsync(id, 300, Till.NewKey(), cancel))),
            ("cancel", () => DecidedAsync(id => till.CancelAsync(id, Till.NewKey(), cancel))),
            ("suspend", () => DecidedAsync(SuspendedAsync)),
            ("expiry", () => RedeemAsync("two_phase", 10)),
            ("poll", () => DecidedAsync(LateAsync)),
            ("settle", () => OrphanedAsync("CaptureHoldRequest", till.ConfirmAsync, failFirst: false)),
            ("compensation", () => OrphanedAsync("ReleaseHoldRequest", till.CancelAsync, failFirst: false)),
            ("retry", () => OrphanedAsync("CaptureHoldRequest", till.ConfirmAsync, failFirst: true)),
        ];
        foreach (var (name, play) in ways.Where(w => names.Count == 0 || names.Contains(w.Name)))
        {
            var id = await play();
            await UntilFinishedAsync(id);
            var export = await desk.GetAsync($"/ops/v1/runs/{id}/export", cancel);
            await File.WriteAllTextAsync(
                Path.Combine(folder, name == AtOnce ? "ImmediateRedemptionV1" : "RedemptionV1", $"{name}.json"),
                export.Body!.ToJsonString(Indented) + "\n",
                cancel
            );
            Terminal.Good($"{name}: {id}");
        }
    }

    private async Task<string> DecidedAsync(Func<string, Task<RestAnswer>> decide)
    {
        var id = await RedeemAsync("two_phase", 120);
        await decide(id);
        return id;
    }

    private async Task<RestAnswer> SuspendedAsync(string id)
    {
        await OperateAsync(id, "suspend");
        var answer = await till.ConfirmAsync(id, Till.NewKey(), cancel);
        await OperateAsync(id, "resume");
        return answer;
    }

    /// <summary>The run has looked by itself, after 30 s, when the till comes.</summary>
    private async Task<RestAnswer> LateAsync(string id)
    {
        await UntilAsync(async () =>
            (await desk.GetAsync($"/ops/v1/runs/{id}", cancel)).Number("steps.0.attempts") == 2
        );
        return await till.ConfirmAsync(id, Till.NewKey(), cancel);
    }

    /// <summary>A decision whose request died and that the sweeper can not carry out: the run has to.</summary>
    private async Task<string> OrphanedAsync(
        string call,
        Func<string, string, CancellationToken, Task<RestAnswer>> decide,
        bool failFirst
    )
    {
        var point = new Instant(CrashStep.Giftcard, $"{call}.before");
        var id = await RedeemAsync("two_phase", 300);
        await stack.ArmAsync(point, cancel);
        var request = decide(id, Till.NewKey(), cancel);
        await UntilAsync(() => stack.IsReachedAsync(point, cancel));

        // The next to come there is the sweeper, which waits for ever.
        await stack.ArmAsync(point, cancel);
        await UntilAsync(() => stack.IsReachedAsync(point, cancel));
        if (failFirst)
        {
            await stack.ArmAsync(point, cancel, "error");
        }

        await OperateAsync(id, "retry");
        await UntilFinishedAsync(id);
        await stack.KillAsync([CrashStep.Giftcard], cancel);
        await request;
        await stack.HealthyAsync(Limit, cancel);
        return id;
    }

    private async Task<string> RedeemAsync(string mode, int holdSeconds)
    {
        var card = await till.SellAsync(cancel);
        var made = await till.RedeemAsync(
            card,
            mode,
            CellRunner.Price,
            Till.NewKey(),
            Till.NewKey(),
            cancel,
            mode == "immediate" ? null : holdSeconds
        );
        var id =
            made.Text("id")
            ?? throw new CliFailure(
                ExitCodes.Failed,
                $"{made.Status} {made.Body}",
                "dotnet run --project tests/Crash record"
            );
        if (mode != "immediate")
        {
            await UntilAsync(async () =>
                (await desk.GetAsync($"/ops/v1/runs/{id}", cancel)).Text("run.run_state") == "waiting"
            );
        }

        return id;
    }

    private async Task OperateAsync(string id, string verb)
    {
        var body = new JsonObject { ["reason"] = "recording" };
        var answer = await desk.PostAsync($"/ops/v1/runs/{id}/{verb}", body, Till.NewKey(), cancel);
        if (answer.Status != 200)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{verb}: {answer.Status} {answer.Body}",
                "dotnet run --project tests/Crash record"
            );
        }
    }

    private Task UntilFinishedAsync(string id) =>
        UntilAsync(async () =>
        {
            var run = await desk.GetAsync($"/ops/v1/runs/{id}", cancel);
            return run.Text("run.run_state") == "finished" && run.Text("engine.status") == "completed";
        });

    private async Task UntilAsync(Func<Task<bool>> holds)
    {
        var deadline = TimeProvider.System.GetUtcNow() + Limit;
        while (!await holds())
        {
            if (TimeProvider.System.GetUtcNow() > deadline)
            {
                throw new CliFailure(
                    ExitCodes.Failed,
                    "it did not come so far",
                    "dotnet run --project tests/Crash record"
                );
            }

            await Task.Delay(Poll, cancel);
        }
    }
}
