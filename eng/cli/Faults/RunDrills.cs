using System.Globalization;
using System.Net.Http.Headers;

namespace LocalPlus.Cli;

/// <summary>What goes wrong with the process around a redemption, while its money is decided.</summary>
internal static class RunDrills
{
    private const long Value = 5000;
    private const long Price = 1200;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "run-suspended",
            "an operator suspends a run and forgets it, and its till confirms",
            "The run's page: suspended by an operator, with the reason that was given; tills are served.",
            "Resume it (`runs resume`).",
            SuspendedAsync
        ),
        new(
            "run-lost",
            "the workflow engine ends a run that still has to wait for its till",
            "The run's page: the engine has lost this run or ended it, no money is concerned.",
            "Reconcile starts it again (`runs reconcile`); by itself the reconciler does when it is late.",
            LostAsync
        ),
        new(
            "engine-away",
            "the workflow engine's database takes no connection",
            "The run's page: waiting to try start again, the engine's error, that money is decided without it.",
            "Let the engine have its database again; the run starts by itself, at once with `runs retry`.",
            EngineAwayAsync
        ),
        new(
            "run-parked",
            "a decision does not come through in ten tries, as the ledger is silent",
            "Attention and the run's page: parked after so many attempts, how much money waits, that the "
                + "ledger does not answer.",
            "Bring the ledger back, then `runs retry`.",
            ParkedAsync
        ),
    ];

    private static async Task SuspendedAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.UntilAsync(
            "its run waits for the till",
            () => scene.RunAsync(id),
            run => run.Text("run.run_state") == "waiting"
        );
        await scene.OperateAsync("operator", "looking at something", "runs", "suspend", id);
        await scene.ConfirmAsync(id);
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "Suspended by an operator",
            "Resume it when what it was suspended for is over.",
            "looking at something"
        );
        await scene.OperateAsync("operator", "it was nothing", "runs", "resume", id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    private static async Task LostAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        var run = await scene.UntilAsync(
            "its run waits for the till",
            () => scene.RunAsync(id),
            answer => answer.Text("run.run_state") == "waiting"
        );
        await scene.BreakAsync(
            "the engine is told to end the run, past giftcard",
            () => TerminateAsync(scene, run.Text("run.instance_id")!)
        );
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "12.00 EUR are held until",
            "The workflow engine has lost this run or ended it.",
            "reconcile starts it again"
        );
        await scene.OperateAsync("operator", "the engine has lost it", "runs", "reconcile", id);
        await scene.UntilAsync(
            "it runs again, as its second generation",
            () => scene.RunAsync(id),
            answer => answer.Number("run.generation") == 2
        );
        await scene.ConfirmAsync(id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    private static async Task EngineAwayAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        await scene.BreakAsync(
            "the database of workflows takes no connection",
            () =>
                scene.SqlAsync(
                    "postgres",
                    """
                    ALTER DATABASE workflow CONNECTION LIMIT 0;
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'workflow';
                    """
                ),
            () => scene.SqlAsync("postgres", "ALTER DATABASE workflow CONNECTION LIMIT -1")
        );
        var id = await scene.HoldAsync(card, Price);
        await scene.ConfirmAsync(id);
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "Waiting to try start again",
            "The workflow engine does not take the run.",
            "The money is decided without it"
        );
        await scene.ReadsAsync("/console", "retrying", "12.00 EUR");
        await scene.MendAsync();
        await scene.OperateAsync("operator", "the engine is back", "runs", "retry", id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
        await scene.HealthyAsync("all is healthy again");
    }

    private static async Task ParkedAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        await scene.FreezeAsync("ledger");
        var busy = await scene.Hasty.PostAsync($"/v1/redemptions/{id}/confirm", null, Shop.NewKey(), scene.Cancel);
        scene.Narrator.Check(busy is { Status: 503, Code: "busy" }, "the till is told to ask again", busy);

        // Somebody presses retry until it is plain that this does not help.
        await scene.UntilAsync(
            "it was tried ten times in vain and is parked",
            () => TriedAgainAsync(scene, id),
            run => run.Text("run.health") == "parked"
        );
        await scene.ReadsAsync("/console/attention", id, "The ledger did not answer", "it goes on by itself");
        await scene.ReadsAsync(
            $"/console/runs/{id}",
            "Parked after",
            "12.00 EUR wait; somebody has to look.",
            "The ledger, or the way to it, is away. Nothing is lost or done twice"
        );
        await scene.MendAsync();
        await scene.OperateAsync("operator", "the ledger is back", "runs", "retry", id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    /// <summary>Retries it and waits until that was in vain.</summary>
    private static async Task<RestAnswer> TriedAgainAsync(FaultScene scene, string id)
    {
        var before = (await scene.RunAsync(id)).Number("run.attempts");
        await scene.Operator.PostAsync(
            $"/ops/v1/runs/{id}/retry",
            new() { ["reason"] = "once more" },
            Shop.NewKey(),
            scene.Cancel
        );
        return await scene.UntilAsync(
            "tried again, in vain",
            () => scene.RunAsync(id),
            run => run.Number("run.attempts") > before
        );
    }

    /// <summary>As the engine's own administrator would, by the sidecar's API.</summary>
    private static async Task TerminateAsync(FaultScene scene, string instance)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            string.Create(
                CultureInfo.InvariantCulture,
                $"http://127.0.0.1:{scene.Ports.DaprHttp("giftcard")}/v1.0/workflows/dapr/{instance}/terminate"
            )
        );
        request.Headers.Add("dapr-api-token", new Secrets(scene.Checkout).DaprApiToken);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var answer = await http.SendAsync(request, scene.Cancel);
        scene.Narrator.Check(answer.IsSuccessStatusCode, $"the engine ends it: {(int)answer.StatusCode}");
    }
}
