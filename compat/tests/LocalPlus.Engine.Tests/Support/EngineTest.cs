using Dapr.DurableTask.Protobuf;
using LocalPlus.Servers;
using LocalPlus.Sidecar.Workflow;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Engine.Testing;

/// <summary>One PostgreSQL server for all tests.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await PostgresServer.StartAsync(new() { IsDurable = true });

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

/// <summary>The tests share a server and run one after the other: most of them wait for something.</summary>
[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<PostgresFixture>
{
    public const string Name = "engine";
}

/// <summary>An engine with an app id of its own, on the shared server.</summary>
[Collection(EngineCollection.Name)]
public abstract class EngineTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly List<EngineHost> _hosts = [];

    private protected PostgresServer Server => postgres.Server;

    private protected string App { get; } = "app-" + Guid.NewGuid().ToString("n")[..8];

    private protected EngineHost Host { get; private set; } = null!;

    private protected TaskHubSidecarService.TaskHubSidecarServiceClient Client => Host.Client;

    private protected virtual EngineSettings Settings => new() { AppId = App, MaxMessageBytes = 4 << 20 };

    public async Task InitializeAsync() => Host = await NewHostAsync();

    /// <summary>Another engine of the same app id.</summary>
    private protected async Task<EngineHost> NewHostAsync(EngineSettings? settings = null)
    {
        var host = await EngineHost.StartAsync(
            new PostgresRunStore(Server.ConnectionString, App),
            settings ?? Settings
        );
        _hosts.Add(host);
        return host;
    }

    /// <summary>The engine ends without a word, as after kill -9, and a new one begins on the same tables.</summary>
    private protected async Task RestartAsync(EngineSettings? settings = null)
    {
        await Host.DisposeAsync();
        _hosts.Remove(Host);
        Host = await NewHostAsync(settings);
    }

    private protected RawWorker Worker() => RawWorker.Connect(Host.Channel);

    /// <summary>Starts a run and answers its first turn.</summary>
    private protected async Task<WorkflowRequest> StartAsync(
        RawWorker worker,
        string id,
        params WorkflowAction[] actions
    )
    {
        var starting = Client.StartInstanceAsync(
            new CreateInstanceRequest
            {
                InstanceId = id,
                Name = "wf",
                Input = "\"in\"",
            },
            deadline: DateTime.UtcNow + RawWorker.Patience
        );
        var turn = await worker.TurnAsync();
        Assert.Equal(id, turn.InstanceId);
        await worker.AnswerAsync(id, actions);
        await starting;
        return turn;
    }

    private protected async Task<WorkflowState> GetAsync(string id)
    {
        var answer = await Client.GetInstanceAsync(
            new GetInstanceRequest { InstanceId = id, GetInputsAndOutputs = true }
        );
        Assert.True(answer.Exists, $"there is no run {id}");
        return answer.WorkflowState;
    }

    private protected async Task<WorkflowState> EndAsync(string id)
    {
        var answer = await Client.WaitForInstanceCompletionAsync(
            new GetInstanceRequest { InstanceId = id, GetInputsAndOutputs = true },
            deadline: DateTime.UtcNow + RawWorker.Patience
        );
        return answer.WorkflowState;
    }

    private protected async Task<List<HistoryEvent>> HistoryAsync(string id) =>
        [.. (await Client.GetInstanceHistoryAsync(new GetInstanceHistoryRequest { InstanceId = id })).Events];

    private protected Task RaiseAsync(string id, string name, string? input = null) =>
        Client
            .RaiseEventAsync(
                new RaiseEventRequest
                {
                    InstanceId = id,
                    Name = name,
                    Input = input,
                },
                deadline: DateTime.UtcNow + RawWorker.Patience
            )
            .ResponseAsync;

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }
    }
}
