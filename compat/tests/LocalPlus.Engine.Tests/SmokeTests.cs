using LocalPlus.Compat.TaskHub;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests;

public sealed class SmokeTests
{
    [Fact]
    public async Task A_run_with_one_activity_completes()
    {
        await using var postgres = await PrivatePostgres.StartNewAsync();
        await using var host = await EngineHost.StartAsync(postgres);
        await using var worker = RawWorker.Connect(host.Channel);
        var starting = host.Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "hello", Input = "\"World\"" });
        var turn = await worker.TurnAsync();
        Assert.Equal("WorkflowStarted ExecutionStarted", turn.NewEvents.Kinds());
        await worker.AnswerAsync("a", Do.Task(1, "greet", "\"World\""));
        await starting;
        var activity = await worker.ActivityAsync();
        await worker.ResultAsync(activity, "\"Hello\"");
        turn = await worker.TurnAsync();
        Assert.Equal("WorkflowStarted ExecutionStarted TaskScheduled WorkflowStarted TaskCompleted", turn.All().Kinds());
        await worker.AnswerAsync("a", Do.Complete(2, "\"Hello\""));
        var done = await host.Client.WaitForInstanceCompletionAsync(new GetInstanceRequest { InstanceId = "a", GetInputsAndOutputs = true });
        Assert.Equal("\"Hello\"", done.WorkflowState.Output);
        Assert.Equal(OrchestrationStatus.Completed, done.WorkflowState.WorkflowStatus);
    }
}
