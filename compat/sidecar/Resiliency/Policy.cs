using System.Globalization;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Resiliency;

/// <summary>What a call gets that a retry can never help: it is reported at once.</summary>
internal interface IPermanentFailure;

/// <summary>Which status codes a retry policy repeats; without a list, every failure.</summary>
internal sealed class CodeMatcher
{
    private readonly List<(int From, int To)>? http;
    private readonly List<(int From, int To)>? grpc;

    public CodeMatcher(RetrySpec? retry)
    {
        http = Ranges(retry?.HttpCodes);
        grpc = Ranges(retry?.GrpcCodes);
    }

    public bool Http(int status) => http is null || http.Exists(r => status >= r.From && status <= r.To);

    public bool Grpc(int code) => grpc is null || grpc.Exists(r => code >= r.From && code <= r.To);

    private static List<(int From, int To)>? Ranges(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }
        var ranges = new List<(int, int)>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-', 2, StringSplitOptions.TrimEntries);
            var from = int.Parse(ends[0], CultureInfo.InvariantCulture);
            ranges.Add((from, ends.Length > 1 ? int.Parse(ends[1], CultureInfo.InvariantCulture) : from));
        }
        return ranges;
    }
}

/// <summary>A timeout, a retry policy and a circuit breaker put around one kind of call.</summary>
internal sealed class Policy(TimeSpan? timeout, RetrySpec? retry, CircuitBreaker? breaker)
{
    public static readonly Policy None = new(null, null, null);

    private const double InitialIntervalMilliseconds = 500;
    private const double Multiplier = 1.5;
    private const double Jitter = 0.5;

    public CodeMatcher Codes { get; } = new(retry);

    public bool IsNone => timeout is null && retry is null && breaker is null;

    /// <summary>False when nothing is ever repeated.</summary>
    public bool Retries => retry is not null && retry.MaxRetries != 0;

    /// <summary>
    /// Runs an operation. A result for which <paramref name="failed"/> says so counts as a failure but is what the
    /// caller gets when the attempts are over; <paramref name="repeat"/> says which failures are worth another attempt.
    /// </summary>
    public async Task<T> RunAsync<T>(
        Func<CancellationToken, Task<T>> operation,
        Func<T, bool>? failed,
        Func<T, bool>? repeat,
        bool once,
        CancellationToken cancel,
        CancellationToken giveUp = default
    )
    {
        for (var attempt = 0; ; attempt++)
        {
            var last = once || retry is null || (retry.MaxRetries >= 0 && attempt >= retry.MaxRetries);
            T result;
            try
            {
                result = await GuardAsync(operation, failed, cancel);
            }
            catch (Exception problem)
                when (!last
                    && !cancel.IsCancellationRequested
                    && problem is not (IPermanentFailure or CircuitOpenException)
                )
            {
                await PauseAsync(attempt, cancel, giveUp);
                continue;
            }
            if (last || failed is null || !failed(result) || (repeat is not null && !repeat(result)))
            {
                return result;
            }
            (result as IDisposable)?.Dispose();
            await PauseAsync(attempt, cancel, giveUp);
        }
    }

    /// <summary>The same for an operation without a result.</summary>
    public Task RunAsync(
        Func<CancellationToken, Task> operation,
        CancellationToken cancel,
        CancellationToken giveUp = default
    ) =>
        RunAsync(
            async token =>
            {
                await operation(token);
                return true;
            },
            failed: null,
            repeat: null,
            once: false,
            cancel,
            giveUp
        );

    private async Task<T> GuardAsync<T>(
        Func<CancellationToken, Task<T>> operation,
        Func<T, bool>? failed,
        CancellationToken cancel
    )
    {
        breaker?.Enter();
        try
        {
            var result = await LimitAsync(operation, cancel);
            breaker?.Leave(failed is null || !failed(result));
            return result;
        }
        catch (Exception problem)
        {
            breaker?.Leave(problem is IPermanentFailure);
            throw;
        }
    }

    private async Task<T> LimitAsync<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancel)
    {
        if (timeout is not { } period)
        {
            return await operation(cancel);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(period);
        try
        {
            return await operation(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new TimeoutException("context deadline exceeded");
        }
    }

    /// <summary>Waits before the next attempt; ends as cancelled when no further one is wanted.</summary>
    private async Task PauseAsync(int attempt, CancellationToken cancel, CancellationToken giveUp)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, giveUp);
        await Task.Delay(Pause(attempt), both.Token);
    }

    private TimeSpan Pause(int attempt)
    {
        if (!retry!.Exponential)
        {
            return retry.Duration;
        }
        var interval = Math.Min(
            InitialIntervalMilliseconds * Math.Pow(Multiplier, attempt),
            retry.MaxInterval.TotalMilliseconds
        );
        return TimeSpan.FromMilliseconds(interval * (1 - Jitter + (Random.Shared.NextDouble() * 2 * Jitter)));
    }
}
