using System.Text.Json;
using System.Threading.Channels;
using Dapr.DurableTask.Protobuf;
using Dapr.Workflow;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Replays recorded runs against the workflow code of today: the SDK's own worker is given each turn of a history as
/// the engine would give it, and must decide what is recorded. Reads what GET /ops/v1/runs/{id}/export gives to
/// operators.
/// </summary>
internal sealed class Replayer : IAsyncDisposable
{
    private static readonly TimeSpan TurnLimit = TimeSpan.FromSeconds(90);
    private readonly Hub hub = new();
    private WebApplication sidecar = null!;
    private WebApplication worker = null!;

    /// <summary>A worker with the workflows that are registered here and the engine that feeds it.</summary>
    public static async Task<Replayer> StartAsync(Action<WorkflowRuntimeOptions> register)
    {
        var replayer = new Replayer();
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddOfficialGrpc<Hub>(TaskHubSidecarService.Descriptor);
        builder.Services.AddSingleton(replayer.hub);
        replayer.sidecar = builder.Build();
        replayer.sidecar.MapGrpcService<Hub>();
        await replayer.sidecar.StartAsync();

        var app = WebApplication.CreateSlimBuilder();
        app.Logging.ClearProviders();
        app.WebHost.UseUrls("http://127.0.0.1:0");
        app.Configuration["DAPR_GRPC_ENDPOINT"] = $"http://localhost:{port}";
        app.Services.AddDaprWorkflow(register);
        replayer.worker = app.Build();
        await replayer.worker.StartAsync();
        return replayer;
    }

    /// <summary>The recorded run in an operator's export.</summary>
    public static IReadOnlyList<HistoryEvent> Read(string export) =>
        GetInstanceHistoryResponse
            .Parser.ParseFrom(JsonDocument.Parse(export).RootElement.GetProperty("history").GetBytesFromBase64())
            .Events;

    /// <summary>
    /// Where today's code decides otherwise than the history says; empty when it decides the same, turn by turn.
    /// </summary>
    public async Task<IReadOnlyList<string>> ReplayAsync(IReadOnlyList<HistoryEvent> history)
    {
        var starts = Enumerable
            .Range(0, history.Count)
            .Where(i => history[i].WorkflowStarted is not null)
            .Append(history.Count)
            .ToArray();
        var differences = new List<string>();
        foreach (var (from, to) in starts.Zip(starts.Skip(1)))
        {
            var turn = history.Skip(from).Take(to - from).ToList();
            var request = new WorkflowRequest { InstanceId = "replayed" };
            request.PastEvents.Add(history.Take(from));
            request.NewEvents.Add(turn.Where(e => Decision(e) is null));
            var recorded = turn.Select(Decision).OfType<string>().ToList();
            var decided = (await DecideAsync(request)).Actions.Select(Decision).ToList();
            if (!recorded.SequenceEqual(decided))
            {
                differences.Add(
                    $"after {from} events: recorded [{string.Join("; ", recorded)}], decided [{string.Join("; ", decided)}]"
                );
            }
        }

        return differences;
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await sidecar.DisposeAsync();
    }

    private async Task<WorkflowResponse> DecideAsync(WorkflowRequest request)
    {
        using var limit = new CancellationTokenSource(TurnLimit);
        await hub.Work.Writer.WriteAsync(new WorkItem { WorkflowRequest = request }, limit.Token);
        return await hub.Turns.Reader.ReadAsync(limit.Token);
    }

    /// <summary>An event that records a decision, in words; null for one that came from outside.</summary>
    private static string? Decision(HistoryEvent e) =>
        e.EventTypeCase switch
        {
            HistoryEvent.EventTypeOneofCase.TaskScheduled =>
                $"{e.EventId} {e.TaskScheduled.Name} {e.TaskScheduled.Input}",
            HistoryEvent.EventTypeOneofCase.TimerCreated => $"{e.EventId} timer {e.TimerCreated.FireAt}",
            HistoryEvent.EventTypeOneofCase.EventSent => $"{e.EventId} event {e.EventSent.Name}",
            HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCreated =>
                $"{e.EventId} child {e.ChildWorkflowInstanceCreated.Name}",
            HistoryEvent.EventTypeOneofCase.ExecutionCompleted =>
                $"end {e.ExecutionCompleted.WorkflowStatus} {e.ExecutionCompleted.Result}",
            _ => null,
        };

    private static string Decision(WorkflowAction action) =>
        action.WorkflowActionTypeCase switch
        {
            WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask =>
                $"{action.Id} {action.ScheduleTask.Name} {action.ScheduleTask.Input}",
            WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => $"{action.Id} timer {action.CreateTimer.FireAt}",
            WorkflowAction.WorkflowActionTypeOneofCase.SendEvent => $"{action.Id} event {action.SendEvent.Name}",
            WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow =>
                $"{action.Id} child {action.CreateChildWorkflow.Name}",
            WorkflowAction.WorkflowActionTypeOneofCase.CompleteWorkflow =>
                $"end {action.CompleteWorkflow.WorkflowStatus} {action.CompleteWorkflow.Result}{action.CompleteWorkflow.FailureDetails?.ErrorMessage}",
            _ => action.WorkflowActionTypeCase.ToString(),
        };

    /// <summary>The sidecar's workflow service as far as a worker needs it.</summary>
    private sealed class Hub
    {
        public Channel<WorkItem> Work { get; } = Channel.CreateUnbounded<WorkItem>();

        public Channel<WorkflowResponse> Turns { get; } = Channel.CreateUnbounded<WorkflowResponse>();

        public Task<Empty> Hello(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

        public async Task GetWorkItems(
            GetWorkItemsRequest request,
            IServerStreamWriter<WorkItem> responseStream,
            ServerCallContext context
        )
        {
            await foreach (var item in Work.Reader.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(item, context.CancellationToken);
            }
        }

        public async Task<CompleteTaskResponse> CompleteOrchestratorTask(
            WorkflowResponse request,
            ServerCallContext context
        )
        {
            await Turns.Writer.WriteAsync(request);
            return new CompleteTaskResponse();
        }
    }
}
