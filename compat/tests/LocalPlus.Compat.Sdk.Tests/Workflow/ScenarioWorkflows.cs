using System.Text.Json.Nodes;
using Dapr.Workflow;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

/// <summary>The workflows of the recorded scenarios, as .NET would write them.</summary>
internal static class ScenarioWorkflows
{
    private static readonly TimeSpan ForEver = Timeout.InfiniteTimeSpan;

    public static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<string, string>("hello", (run, who) => run.CallActivityAsync<string>("greet", who));
        options.RegisterWorkflow<int, int>("chain", ChainAsync);
        options.RegisterWorkflow<int, int>("fan", FanAsync);
        options.RegisterWorkflow<object, object>("no_input_wf", (run, _) => run.CallActivityAsync<object>("no_input"));
        options.RegisterWorkflow<string, string>("missing_activity", (run, _) => run.CallActivityAsync<string>("not_registered_activity", "x"));
        options.RegisterWorkflow<int, int>("long_run", LongRunAsync);
        options.RegisterWorkflow<string, string>("patched", PatchedAsync);
        options.RegisterWorkflow<string, string>("status_wf", StatusAsync);
        RegisterFailures(options);
        RegisterTimersAndEvents(options);
        RegisterChildren(options);
        options.RegisterWorkflow<int, int>("again", AgainAsync);
        options.RegisterWorkflow<JsonObject, JsonArray?>("again_events", AgainWithEventsAsync);
    }

    private static void RegisterFailures(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<string, string>("act_fails", (run, why) => run.CallActivityAsync<string>("boom", why));
        options.RegisterWorkflow<string, object>("act_fails_caught", CaughtAsync);
        options.RegisterWorkflow<int, int>("retrying", (run, times) => run.CallActivityAsync<int>(
            "flaky", times, new WorkflowTaskOptions(new WorkflowRetryPolicy(3, TimeSpan.FromSeconds(0.3), 2))));
        options.RegisterWorkflow<string, string>("throws", async (run, why) =>
        {
            await run.CallActivityAsync<string>("greet", "x");
            throw new KeyNotFoundException(why);
        });
        options.RegisterWorkflow<string, string>("throws_at_once", (_, why) => throw new KeyNotFoundException(why));
    }

    private static void RegisterTimersAndEvents(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<double, bool>("timer", async (run, seconds) =>
        {
            await run.CreateTimer(TimeSpan.FromSeconds(seconds));
            return true;
        });
        options.RegisterWorkflow<string, string>("two_timers", async (run, _) =>
        {
            await Task.WhenAll(run.CreateTimer(TimeSpan.FromSeconds(1)), run.CreateTimer(TimeSpan.FromSeconds(1)));
            return "both";
        });
        options.RegisterWorkflow<string, JsonNode?>("wait_event", (run, name) => run.WaitForExternalEventAsync<JsonNode?>(name, ForEver));
        options.RegisterWorkflow<double, int>("timer_then_event", async (run, seconds) =>
        {
            await run.CreateTimer(TimeSpan.FromSeconds(seconds));
            return await run.WaitForExternalEventAsync<int>("go");
        });
        options.RegisterWorkflow<string, int[]>("wait_three", async (run, _) =>
        [
            await run.WaitForExternalEventAsync<int>("go", ForEver),
            await run.WaitForExternalEventAsync<int>("go", ForEver),
            await run.WaitForExternalEventAsync<int>("go", ForEver),
        ]);
        options.RegisterWorkflow<double, string>("event_timeout", async (run, seconds) =>
        {
            try
            {
                return "event " + await run.WaitForExternalEventAsync<string>("go", TimeSpan.FromSeconds(seconds));
            }
            catch (TaskCanceledException)
            {
                return "timeout";
            }
        });
    }

    private static void RegisterChildren(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<int, int>("child_ok", (run, n) => run.CallActivityAsync<int>("inc", n));
        options.RegisterWorkflow<string, string>("child_bad", (_, why) => throw new ArgumentException(why));
        options.RegisterWorkflow<string, JsonNode?>("child_waits", (run, _) => run.WaitForExternalEventAsync<JsonNode?>("never", ForEver));
        options.RegisterWorkflow<int, int>("parent", async (run, n) =>
        {
            var first = await run.CallChildWorkflowAsync<int>("child_ok", n);
            return await run.CallChildWorkflowAsync<int>("child_ok", first, new ChildWorkflowTaskOptions($"{run.InstanceId}-kid"));
        });
        options.RegisterWorkflow<string, string>("parent_of_bad", (run, why) => run.CallChildWorkflowAsync<string>("child_bad", why));
        options.RegisterWorkflow<string, string>("parent_waits", (run, text) =>
            run.CallChildWorkflowAsync<string>("child_waits", text, new ChildWorkflowTaskOptions($"{run.InstanceId}-kid")));
    }

    private static async Task<int> ChainAsync(WorkflowContext run, int n)
    {
        for (var i = 0; i < 5; i++)
        {
            n = await run.CallActivityAsync<int>("inc", n);
        }

        return n;
    }

    private static async Task<int> FanAsync(WorkflowContext run, int n) =>
        (await Task.WhenAll(Enumerable.Range(1, n).Select(i => run.CallActivityAsync<int>("square", i)))).Sum();

    private static async Task<int> LongRunAsync(WorkflowContext run, int steps)
    {
        var n = 0;
        for (var i = 0; i < steps; i++)
        {
            n = await run.CallActivityAsync<int>("inc", n);
            await run.CreateTimer(TimeSpan.FromSeconds(0.4));
        }

        return n;
    }

    private static async Task<string> PatchedAsync(WorkflowContext run, string _)
    {
        var first = run.IsPatched("p1") ? "new" : "old";
        await run.CallActivityAsync("noop", 1);
        return $"{first}/{(run.IsPatched("p2") ? "new" : "old")}";
    }

    private static async Task<string> StatusAsync(WorkflowContext run, string _)
    {
        run.SetCustomStatus("one");
        await run.CallActivityAsync("noop", 1);
        run.SetCustomStatus("two");
        await run.WaitForExternalEventAsync<JsonNode?>("go", ForEver);
        return "done";
    }

    private static async Task<object> CaughtAsync(WorkflowContext run, string why)
    {
        try
        {
            return await run.CallActivityAsync<string>("boom", why);
        }
        catch (WorkflowTaskFailedException)
        {
            return new { caught = "TaskFailedError", then = await run.CallActivityAsync<string>("greet", "compensated") };
        }
    }

    private static async Task<int> AgainAsync(WorkflowContext run, int generation)
    {
        await run.CallActivityAsync("noop", generation);
        if (generation < 3)
        {
            run.ContinueAsNew(generation + 1);
        }

        return generation;
    }

    private static async Task<JsonArray?> AgainWithEventsAsync(WorkflowContext run, JsonObject input)
    {
        if ((int)input["gen"]! == 0)
        {
            await run.CreateTimer(TimeSpan.FromSeconds(1.5));
            run.ContinueAsNew(new { gen = 1, got = input["got"], keep = input["keep"] }, (bool)input["keep"]!);
            return null;
        }

        var got = new JsonArray();
        while (true)
        {
            try
            {
                got.Add(await run.WaitForExternalEventAsync<int>("go", TimeSpan.FromSeconds(1.5)));
            }
            catch (TaskCanceledException)
            {
                return got;
            }
        }
    }
}
