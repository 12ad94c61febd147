using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Holds a service's consumers while its database is away. A delivery waits here for a while; meanwhile the probe that
/// the
/// sidecar asks (/consumerz) fails, the sidecar stops the subscriptions, and what is published then stays with the
/// broker.
/// The first probe that finds the database again ends the pause.
/// </summary>
internal sealed class ConsumerPause(NpgsqlDataSource database, TimeProvider time, ILogger<ConsumerPause> log)
{
    /// <summary>
    /// Longer than the sidecar needs to see that it must stop (three probes, two seconds apart), shorter than it waits
    /// for a
    /// delivery (components/base/resiliency.yaml).
    /// </summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);
    private volatile bool paused;

    /// <summary>False as long as the sidecar is to deliver nothing.</summary>
    public async Task<bool> IsOpenAsync(CancellationToken cancel)
    {
        if (paused && await AnswersAsync(cancel))
        {
            paused = false;
            log.ConsumersGoOn();
        }

        return !paused;
    }

    /// <summary>
    /// Does it, and once more whenever the database comes back within <see cref="Hold"/>. Null when it is done; else
    /// why the
    /// broker is to deliver again: the database is still away, or would not have it just now.
    /// </summary>
    public async Task<Exception?> TryAsync(Func<Task> work, CancellationToken cancel)
    {
        var deadline = time.GetUtcNow() + Hold;
        while (true)
        {
            try
            {
                await work();
                return null;
            }
            catch (Exception exception) when (DatabaseAway.IsToldBy(exception) && !cancel.IsCancellationRequested)
            {
                if (!await EndsByAsync(deadline, exception, cancel))
                {
                    return exception;
                }
            }
            catch (PostgresException exception) when (exception.IsTransient || DatabaseAway.IsTooSlow(exception))
            {
                return exception;
            }
        }
    }

    private async Task<bool> EndsByAsync(DateTimeOffset deadline, Exception cause, CancellationToken cancel)
    {
        if (!paused)
        {
            paused = true;
            log.ConsumersPaused(cause);
        }

        while (time.GetUtcNow() < deadline)
        {
            // Before the look, so that a database that takes connections and refuses the work is not asked in a hurry.
            await Task.Delay(Pause, time, cancel);
            if (await IsOpenAsync(cancel))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> AnswersAsync(CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(ProbeTimeout);
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(timeout.Token);
            return true;
        }
        catch (Exception exception)
            when (exception is NpgsqlException or TimeoutException
                || (exception is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            return false;
        }
    }
}
