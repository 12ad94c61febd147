using LocalPlus.Compat.TaskHub;

namespace Dapr.Workflow.Worker;

/// <summary>
/// Which patches of the code a run has taken. A patch in history was taken; one that replay passes without was not;
/// one that is asked for the first time is taken from now on. Every answer names all that were taken so far.
/// </summary>
internal sealed class PatchLog(IEnumerable<HistoryEvent> history)
{
    private readonly HashSet<string> recorded =
        [.. history.SelectMany(e => e.WorkflowStarted?.Version?.Patches ?? Enumerable.Empty<string>())];

    private readonly Dictionary<string, bool> asked = new(StringComparer.Ordinal);
    private readonly List<string> taken = [];

    public bool Ask(string patch, bool replaying)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(patch);
        if (!asked.TryGetValue(patch, out var answer))
        {
            asked.Add(patch, answer = recorded.Contains(patch) || !replaying);
            if (answer)
            {
                taken.Add(patch);
            }
        }

        return answer;
    }

    /// <summary>Null when no patch was taken: most workflows have no version.</summary>
    public WorkflowVersion? Version(string workflow) =>
        taken.Count == 0 ? null : new WorkflowVersion { Name = workflow, Patches = { taken } };
}
