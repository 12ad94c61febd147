using Dapr.Workflow;

namespace LocalPlus.Giftcard.Runs;

/// <summary>Asks the workflow engine about a run, with a deadline: a page about a run must not wait for an engine that is away.</summary>
internal sealed class EngineReader(DaprWorkflowClient workflows)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

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
                [.. history.Select(h => new EngineEvent(h.EventId, Wire.Name(h.EventType), DateTime.SpecifyKind(h.Timestamp, DateTimeKind.Utc)))],
                null);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new(null, [], exception.Message);
        }
    }
}
