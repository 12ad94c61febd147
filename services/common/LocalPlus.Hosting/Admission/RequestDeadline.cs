using System.Globalization;

namespace LocalPlus.Hosting;

/// <summary>
/// Until when the request that this code runs for must have its answer. It goes with the flow of the code, into calls
/// of other services (their deadline is shorter) and into statements (theirs is shorter still). Work that no single
/// request waits for has none.
/// </summary>
public sealed class RequestDeadline
{
    /// <summary>How a service is told, in the form of gRPC's grpc-timeout: 1200m are 1.2 s.</summary>
    public const string Header = "localplus-timeout";

    private static readonly AsyncLocal<RequestDeadline?> Flow = new();
    private readonly TimeProvider time;
    private readonly long begunAt;
    private readonly TimeSpan total;

    internal RequestDeadline(TimeProvider time, TimeSpan total)
    {
        (this.time, this.total) = (time, total);
        begunAt = time.GetTimestamp();
    }

    /// <summary>Null: nobody waits, or not for this alone.</summary>
    public static RequestDeadline? Current
    {
        get => Flow.Value;
        internal set => Flow.Value = value;
    }

    public TimeSpan Left => total - time.GetElapsedTime(begunAt);

    /// <summary>Whether there is too little time left to begin what another service has to finish.</summary>
    public bool IsTooLateToBegin => Left < AdmissionLimits.LeastToBegin;

    /// <summary>For loops that serve many callers: from here on this flow runs for none of them.</summary>
    public static void Forget() => Flow.Value = null;

    /// <summary>How long a call to another service may take here: at most that, and less than its caller has.</summary>
    public static TimeSpan Within(TimeSpan most)
    {
        var left = Current is { } deadline ? deadline.Left - AdmissionLimits.CallMargin : most;
        return left < TimeSpan.Zero ? TimeSpan.Zero
            : left < most ? left
            : most;
    }

    /// <summary>
    /// A statement's timeout in whole seconds, as providers take it: less than is left, and a second at least. Null:
    /// the pool's own.
    /// </summary>
    internal static int? StatementSeconds =>
        Current is { } deadline ? Math.Max(1, (int)Math.Ceiling(deadline.Left.TotalSeconds) - 1) : null;

    /// <summary>Reads grpc-timeout and <see cref="Header"/>: digits and one of H, M, S, m, u, n.</summary>
    internal static TimeSpan? Parse(string? text) =>
        text is { Length: >= 2 and <= 9 }
        && long.TryParse(
            text.AsSpan(0, text.Length - 1),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var value
        )
            ? text[^1] switch
            {
                'H' => TimeSpan.FromHours(Math.Min(value, 1)),
                'M' => TimeSpan.FromMinutes(Math.Min(value, 60)),
                'S' => TimeSpan.FromSeconds(value),
                'm' => TimeSpan.FromMilliseconds(value),
                'u' => TimeSpan.FromMicroseconds(value),
                'n' => TimeSpan.FromMicroseconds(value / 1000.0),
                _ => null,
            }
            : null;

    internal static string Format(TimeSpan timeout) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)timeout.TotalMilliseconds)}m");
}
