using System.Threading.Channels;
using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using static Dapr.DurableTask.Protobuf.TaskHubSidecarService;

namespace LocalPlus.Engine.Testing;

/// <summary>A worker without an SDK: the test sees every item and writes every answer.</summary>
public sealed class RawWorker : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource _leaving = new();
    private readonly Channel<WorkflowRequest> _turns = Channel.CreateUnbounded<WorkflowRequest>();
    private readonly Channel<ActivityRequest> _activities = Channel.CreateUnbounded<ActivityRequest>();
    private readonly Task _reading;

    private RawWorker(TaskHubSidecarServiceClient client)
    {
        Client = client;
        _reading = ReadAsync();
    }

    public TaskHubSidecarServiceClient Client { get; }

    /// <summary>Answers turns by itself when set.</summary>
    public Func<WorkflowRequest, WorkflowResponse?>? OnTurn { get; init; }

    /// <summary>Answers activities by itself when set.</summary>
    public Func<ActivityRequest, ActivityResponse?>? OnActivity { get; init; }

    public static RawWorker Connect(GrpcChannel channel) => new(new TaskHubSidecarServiceClient(channel));

    public static RawWorker Connect(
        GrpcChannel channel,
        Func<WorkflowRequest, WorkflowResponse?>? onTurn,
        Func<ActivityRequest, ActivityResponse?>? onActivity
    ) => new(new TaskHubSidecarServiceClient(channel)) { OnTurn = onTurn, OnActivity = onActivity };

    private async Task ReadAsync()
    {
        await Task.Yield();
        try
        {
            using var call = Client.GetWorkItems(new GetWorkItemsRequest(), cancellationToken: _leaving.Token);
            await foreach (var item in call.ResponseStream.ReadAllAsync(_leaving.Token))
            {
                _ =
                    item.RequestCase == WorkItem.RequestOneofCase.WorkflowRequest
                        ? TurnAsync(item.WorkflowRequest)
                        : ActivityAsync(item.ActivityRequest);
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException)
        {
            // The stream is over; the test knows why.
        }
    }

    private async Task TurnAsync(WorkflowRequest turn)
    {
        if (OnTurn?.Invoke(turn) is { } answer)
        {
            await Client.CompleteWorkflowTaskAsync(answer);
        }
        else
        {
            await _turns.Writer.WriteAsync(turn);
        }
    }

    private async Task ActivityAsync(ActivityRequest activity)
    {
        if (OnActivity?.Invoke(activity) is { } answer)
        {
            await Client.CompleteActivityTaskAsync(answer);
        }
        else
        {
            await _activities.Writer.WriteAsync(activity);
        }
    }

    public async Task<WorkflowRequest> TurnAsync() => await _turns.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<ActivityRequest> ActivityAsync() =>
        await _activities.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public bool HasItem => _turns.Reader.Count + _activities.Reader.Count > 0;

    public async Task AnswerAsync(string id, params WorkflowAction[] actions) =>
        await Client.CompleteWorkflowTaskAsync(new WorkflowResponse { InstanceId = id, Actions = { actions } });

    public async Task AnswerAsync(WorkflowResponse answer) => await Client.CompleteWorkflowTaskAsync(answer);

    public async Task ResultAsync(ActivityRequest activity, string? result) =>
        await Client.CompleteActivityTaskAsync(
            new ActivityResponse
            {
                InstanceId = activity.WorkflowInstance.InstanceId,
                TaskId = activity.TaskId,
                Result = result,
            }
        );

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _reading;
        _leaving.Dispose();
    }
}
