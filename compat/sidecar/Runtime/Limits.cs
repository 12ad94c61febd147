namespace LocalPlus.Sidecar.Runtime;

/// <summary>Everything that is bounded, in one place.</summary>
internal static class Limits
{
    /// <summary>
    /// Connections that one application or Valkey server may hold open towards us before new ones wait.
    /// </summary>
    public const int MaxConnections = 4096;

    /// <summary>Concurrent HTTP/2 streams on a client connection.</summary>
    public const int MaxStreamsPerConnection = 1000;

    /// <summary>An HTTP/2 receive window that lets 4 MiB messages flow without stalls.</summary>
    public const int Http2Window = 1 << 20;

    /// <summary>How long an application may take to accept a connection.</summary>
    public static readonly TimeSpan AppConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Idle connections towards applications are closed after this.</summary>
    public static readonly TimeSpan AppIdleTimeout = TimeSpan.FromMinutes(2);

    /// <summary>A call to /dapr/config and /dapr/subscribe.</summary>
    public static readonly TimeSpan InitEndpointTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Attempts to read /dapr/subscribe before the application counts as having none.</summary>
    public const int InitEndpointAttempts = 3;

    /// <summary>The largest answer of /dapr/subscribe, and of a delivery, that is read.</summary>
    public const int MaxAppAnswerBytes = 4 << 20;

    /// <summary>Messages that wait in one in-memory topic for one subscriber.</summary>
    public const int MemoryQueue = 10_000;

    /// <summary>Deliveries in progress get this long after a stop, whatever the graceful period says.</summary>
    public static readonly TimeSpan InFlightDrain = TimeSpan.FromSeconds(30);

    /// <summary>Publishing to a dead letter topic.</summary>
    public static readonly TimeSpan DeadLetterTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Entries of one bulk publish sent at the same time.</summary>
    public const int BulkPublishParallelism = 100;

    /// <summary>Keys of one bulk get read at the same time.</summary>
    public const int BulkGetParallelism = 10;

    /// <summary>Commands that wait for answers on one Valkey connection; callers wait when it is full.</summary>
    public const int ValkeyPipeline = 10_000;

    /// <summary>One Valkey command, blocking reads apart.</summary>
    public static readonly TimeSpan ValkeyTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Pause between attempts to reach a backend that went away: from, to.</summary>
    public static readonly TimeSpan ReconnectFirst = TimeSpan.FromMilliseconds(50);

    public static readonly TimeSpan ReconnectLongest = TimeSpan.FromSeconds(2);

    /// <summary>The largest single reply from Valkey that is accepted.</summary>
    public const int ValkeyReplyBytes = 512 << 20;

    /// <summary>Events handed to one streaming subscription and not yet answered.</summary>
    public const int StreamInFlight = 1000;

    /// <summary>A PostgreSQL statement when the component does not say.</summary>
    public static readonly TimeSpan PostgresTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The largest body that is kept in memory so that a retry can send it again.</summary>
    public const int ReplayableBodyBytes = 4 << 20;
}
