using Dapr.Workflow;

namespace LocalPlus.Engine.KillRun;

/// <summary>The workflows of the kill run, on the official SDK.</summary>
internal static class Scripts
{
    public const string Child = "child";
    public const int LastGeneration = 3;

    private const string Step = "step";
    private const int LongestStep = 20;
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Sleep = TimeSpan.FromDays(1);

    public static readonly string[] Names = ["chain", "timer", "events", "parent", "fan", "again"];

    /// <summary>Events that the run of that workflow waits for.</summary>
    public static string[] EventsOf(string workflow) =>
        workflow switch
        {
            "events" => ["go0", "go1"],
            "again" => ["go0"],
            _ => [],
        };

    public static string ResultOf(string workflow) => $"\"{workflow} is done\"";

    public static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<int, int>(
            Step,
            async (_, number) =>
            {
                await Task.Delay(Random.Shared.Next(LongestStep));
                return number;
            }
        );
        Add("chain", context => StepsAsync(context, 3));
        Add(
            "timer",
            async context =>
            {
                await StepsAsync(context, 1);
                await context.CreateTimer(Nap);
                await StepsAsync(context, 1);
                await context.CreateTimer(Nap);
            }
        );
        Add(
            "events",
            async context =>
            {
                await EventAsync(context, "go0");
                await StepsAsync(context, 1);
                await EventAsync(context, "go1");
            }
        );
        Add(
            "parent",
            async context =>
            {
                await context.CallChildWorkflowAsync<string>(Child, 0);
                await context.CallChildWorkflowAsync<string>(Child, 0);
            }
        );
        Add(Child, context => StepsAsync(context, 1));
        Add(
            "fan",
            context =>
                Task.WhenAll(Enumerable.Range(0, 4).Select(number => context.CallActivityAsync<int>(Step, number)))
        );
        Add("waiter", context => EventAsync(context, "go0"));
        Add(
            "sleeper",
            context =>
            {
                _ = context.CreateTimer(Sleep);
                return EventAsync(context, "go0");
            }
        );
        options.RegisterWorkflow<int, string>(
            "again",
            async (context, generation) =>
            {
                await StepsAsync(context, 1);
                if (generation < LastGeneration)
                {
                    context.ContinueAsNew(generation + 1, preserveUnprocessedEvents: true);
                }
                else
                {
                    await EventAsync(context, "go0");
                }

                return "again is done";
            }
        );

        void Add(string name, Func<WorkflowContext, Task> body) =>
            options.RegisterWorkflow<int, string>(
                name,
                async (context, _) =>
                {
                    await body(context);
                    return $"{name} is done";
                }
            );
    }

    private static async Task StepsAsync(WorkflowContext context, int count)
    {
        for (var number = 0; number < count; number++)
        {
            await context.CallActivityAsync<int>(Step, number);
        }
    }

    private static Task<int> EventAsync(WorkflowContext context, string name) =>
        context.WaitForExternalEventAsync<int>(name);
}
