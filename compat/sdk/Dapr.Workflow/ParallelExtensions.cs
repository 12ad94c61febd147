namespace Dapr.Workflow;

/// <summary>Fan-out with a limit.</summary>
public static class ParallelExtensions
{
    /// <summary>
    /// Keeps at most <paramref name="maxConcurrency"/> tasks open and gives the results in the order of the inputs.
    /// All inputs are tried before a failure shows, as one <see cref="AggregateException"/>.
    /// </summary>
    public static async Task<TResult[]> ProcessInParallelAsync<TInput, TResult>(
        this WorkflowContext context, IEnumerable<TInput> inputs, Func<TInput, Task<TResult>> taskFactory,
        int maxConcurrency = 5)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(taskFactory);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxConcurrency);
        var waiting = new Queue<TInput>(inputs);
        var all = new List<Task<TResult>>(waiting.Count);
        var open = new HashSet<Task>(maxConcurrency);
        while (waiting.Count > 0 || open.Count > 0)
        {
            while (waiting.Count > 0 && open.Count < maxConcurrency)
            {
                var started = Start(taskFactory, waiting.Dequeue());
                all.Add(started);
                open.Add(started);
            }

            open.Remove(await Task.WhenAny(open));
        }

        var failures = all.Where(task => !task.IsCompletedSuccessfully).ToList();
        return failures.Count == 0
            ? [.. all.Select(task => task.Result)]
            : throw new AggregateException(
                $"{failures.Count} out of {all.Count} tasks failed",
                failures.Select(task => task.Exception?.InnerException ?? new TaskCanceledException(task)));
    }

    // A factory that throws at once counts as a task that failed.
    private static async Task<TResult> Start<TInput, TResult>(Func<TInput, Task<TResult>> taskFactory, TInput input) =>
        await taskFactory(input);
}
