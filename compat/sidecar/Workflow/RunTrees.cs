using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Sidecar.Workflow;

/// <summary>Removing runs straight from the store, where no session of this engine holds them.</summary>
internal static class RunTrees
{
    public static async Task<int> RemoveAsync(
        IRunStore store,
        string id,
        bool recursive,
        bool force,
        CancellationToken cancel
    )
    {
        var doomed = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var left = new Queue<string>([id]);
        while (left.TryDequeue(out var next) && seen.Count < WorkflowLimits.TreeSize)
        {
            if (!seen.Add(next) || (await store.LoadAsync([next], cancel)).SingleOrDefault() is not { } run)
            {
                continue;
            }

            if (!force && !RunView.Of(run).Finished)
            {
                throw WorkflowFault.Unfinished();
            }

            doomed.Add(next);
            if (recursive)
            {
                run.History.Where(one => one.ChildWorkflowInstanceCreated is not null)
                    .ToList()
                    .ForEach(one => left.Enqueue(one.ChildWorkflowInstanceCreated.InstanceId));
            }
        }

        if (doomed.Count == 0)
        {
            throw WorkflowFault.Missing();
        }

        await store.RemoveAsync(doomed, cancel);
        return doomed.Count;
    }
}
