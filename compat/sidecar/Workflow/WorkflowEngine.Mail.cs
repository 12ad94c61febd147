using Dapr.DurableTask.Protobuf;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <content>Calls that this engine takes while another one of the same app id holds the lease: left in the table for
/// it.</content>
internal sealed partial class WorkflowEngine
{
    private async Task MailStartAsync(HistoryEvent started, CancellationToken cancel)
    {
        var start = started.ExecutionStarted;
        var created = started.Timestamp.ToDateTimeOffset();
        var unit = new CommitUnit();
        unit.Rows.Add(
            new RunRow
            {
                InstanceId = start.WorkflowInstance.InstanceId,
                ExecutionId = Guid.Parse(start.WorkflowInstance.ExecutionId),
                Name = start.Name,
                Status = OrchestrationStatus.Pending,
                Active = true,
                NextDue = start.ScheduledStartTimestamp?.ToDateTimeOffset(),
                CreatedAt = created,
                UpdatedAt = created,
            }
        );
        unit.Posted.Add(new InboxRow(0, start.WorkflowInstance.InstanceId, null, started));
        await MailAsync(unit, cancel);
    }

    private async Task MailEventAsync(string id, HistoryEvent one, CancellationToken cancel)
    {
        var view = await GetAsync(id, cancel) ?? throw WorkflowFault.Missing();
        if (view.Finished)
        {
            return;
        }

        if (view.Status == OrchestrationStatus.Stalled)
        {
            throw WorkflowFault.Stalled(id);
        }

        var unit = new CommitUnit();
        unit.Posted.Add(new InboxRow(0, id, null, one));
        await MailAsync(unit, cancel);
    }

    private async Task MailAsync(CommitUnit unit, CancellationToken cancel) =>
        await ReadAsync(async () =>
        {
            await Store.MailAsync(unit, cancel);
            return true;
        });
}
