using Dapr.DurableTask.Protobuf;
using LocalPlus.Engine.Testing;
using LocalPlus.Servers;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Engine.Tests;

public sealed class NeighbourTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private static WorkflowResponse Done(WorkflowRequest turn) =>
        new() { InstanceId = turn.InstanceId, Actions = { Do.Complete(0) } };

    [Fact]
    public async Task A_worker_that_never_answers_does_not_hold_up_another_app()
    {
        var silent = Worker();
        var hanging = Enumerable
            .Range(0, 200)
            .Select(i =>
                Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = $"h{i}", Name = "wf" }).ResponseAsync
            )
            .ToList();
        await silent.TurnAsync();
        var app = App + "-neighbour";
        await using var host = await EngineHost.StartAsync(
            new PostgresRunStore(Server.ConnectionString, app),
            Settings with
            {
                AppId = app,
            }
        );
        await using var worker = RawWorker.Connect(host.Channel, Done, null);
        for (var i = 0; i < 20; i++)
        {
            await host.Client.StartInstanceAsync(
                new CreateInstanceRequest { InstanceId = $"n{i}", Name = "wf" },
                deadline: DateTime.UtcNow + RawWorker.Patience
            );
        }

        Assert.All(hanging, start => Assert.False(start.IsCompleted));
        await using var other = RawWorker.Connect(Host.Channel, Done, null);
        await silent.DisposeAsync();
        await Task.WhenAll(hanging).WaitAsync(RawWorker.Patience);
    }

    [Fact]
    public async Task Runs_go_on_while_the_sidecars_Valkey_is_away()
    {
        await using var valkey = await ValkeyServer.StartAsync();
        await using var sidecar = new Testing.SidecarProcess(
            Path.Combine(Path.GetDirectoryName(typeof(PostgresRunStore).Assembly.Location)!, "daprd"),
            App,
            Server.LibpqString
        );
        sidecar.AddComponent("cachestore", "state.redis", ("redisHost", valkey.Address));
        sidecar.AddComponent("pubsub", "pubsub.redis", ("redisHost", valkey.Address));
        await sidecar.StartAsync();
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress($"http://127.0.0.1:{sidecar.GrpcPort}");
        await using var worker = RawWorker.Connect(channel);
        var starting = worker.Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await worker.TurnAsync();
        await valkey.KillAsync();
        await worker.AnswerAsync("a", Do.Task(0, "act"));
        await starting;
        await worker.ResultAsync(await worker.ActivityAsync(), "1");
        await worker.TurnAsync();
        await worker.AnswerAsync("a", Do.Complete(1));
        var done = await worker.Client.WaitForInstanceCompletionAsync(
            new GetInstanceRequest { InstanceId = "a" },
            deadline: DateTime.UtcNow + RawWorker.Patience
        );
        Assert.Equal(OrchestrationStatus.Completed, done.WorkflowState.WorkflowStatus);
    }
}
