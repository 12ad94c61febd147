using System.Text;
using Dapr.Workflow;
using Grpc.Core;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// Asks the workflow engine about a run, with a deadline: a page about a run must not wait for an engine that is away.
/// </summary>
internal sealed class EngineReader(DaprWorkflowClient workflows, IServiceProvider all)
{
    /// <summary>Protobuf: field 1, text.</summary>
    private const byte FirstField = 0x0A;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    // The SDK hands out a history's outline only; whoever wants to replay a run needs it word for word.
    private static readonly Marshaller<byte[]> AsIs = Marshallers.Create(bytes => bytes, bytes => bytes);
    private static readonly Method<byte[], byte[]> GetHistory = new(
        MethodType.Unary,
        "TaskHubSidecarService",
        "GetInstanceHistory",
        AsIs,
        AsIs
    );

    private readonly CallInvoker sidecar = PeerClient.CreateInvoker(all, "giftcard");

    /// <summary>
    /// The engine's whole history of a run, a GetInstanceHistoryResponse as it came; null when there is none to be had.
    /// </summary>
    public async Task<byte[]?> HistoryAsync(string instanceId, CancellationToken cancel)
    {
        var id = Encoding.ASCII.GetBytes(instanceId);
        try
        {
            using var call = sidecar.AsyncUnaryCall(
                GetHistory,
                null,
                new CallOptions(
                    deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Deadline,
                    cancellationToken: cancel
                ),
                [FirstField, (byte)id.Length, .. id]
            );
            return await call.ResponseAsync;
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    public async Task<EngineSide> ReadAsync(string? instanceId, CancellationToken cancel)
    {
        if (instanceId is null)
        {
            return new(null, [], null);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            var state = await workflows.GetWorkflowStateAsync(instanceId, false, deadline.Token);
            if (!state.Exists)
            {
                return new("unknown", [], null);
            }

            var history = await workflows.GetInstanceHistoryAsync(instanceId, deadline.Token);
            return new(
                Wire.Name(state.RuntimeStatus),
                [
                    .. history.Select(h => new EngineEvent(
                        h.EventId,
                        Wire.Name(h.EventType),
                        DateTime.SpecifyKind(h.Timestamp, DateTimeKind.Utc)
                    )),
                ],
                null
            );
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new(null, [], exception.Message);
        }
    }
}
