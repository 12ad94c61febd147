namespace LocalPlus.Sidecar.Runtime;

/// <summary>Every line that the sidecar's own parts write. The texts that tools look for are daprd's.</summary>
internal static partial class Log
{
    private static readonly EventId ApiCallEvent = new(17);

    [LoggerMessage(1, LogLevel.Information, "Starting Dapr Runtime -- version {Version} -- LocalPlus stand-in")]
    public static partial void Starting(this ILogger log, string version);

    [LoggerMessage(2, LogLevel.Information, "Component loaded: {Name} ({Type}/{Version})")]
    public static partial void ComponentLoaded(this ILogger log, string name, string type, string version);

    [LoggerMessage(3, LogLevel.Warning, "Component {Name} ({Type}/{Version}) is left out: {Reason}")]
    public static partial void ComponentLeftOut(
        this ILogger log,
        string name,
        string type,
        string version,
        string reason
    );

    [LoggerMessage(4, LogLevel.Critical, "Fatal error from runtime: {Reason}")]
    public static partial void Fatal(this ILogger log, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Warning}")]
    public static partial void ResourceWarning(this ILogger log, string warning);

    [LoggerMessage(6, LogLevel.Information, "HTTP server is running on port {Port}")]
    public static partial void HttpRunning(this ILogger log, int port);

    [LoggerMessage(7, LogLevel.Information, "API gRPC server is running on port {Port}")]
    public static partial void GrpcRunning(this ILogger log, int port);

    [LoggerMessage(
        8,
        LogLevel.Information,
        "application protocol: {Protocol}. waiting on port {Port}. This will block until the app is listening on that port."
    )]
    public static partial void WaitingForApp(this ILogger log, string protocol, int port);

    [LoggerMessage(9, LogLevel.Information, "application discovered on port {Port}")]
    public static partial void AppDiscovered(this ILogger log, int port);

    [LoggerMessage(10, LogLevel.Information, "dapr initialized. Status: Running. Init Elapsed {Milliseconds}ms")]
    public static partial void Initialised(this ILogger log, long milliseconds);

    [LoggerMessage(11, LogLevel.Information, "App health probes are {State}")]
    public static partial void AppHealthChanged(this ILogger log, string state);

    [LoggerMessage(12, LogLevel.Information, "Dapr is shutting down: {Reason}")]
    public static partial void ShuttingDown(this ILogger log, string reason);

    [LoggerMessage(
        13,
        LogLevel.Information,
        "Blocking graceful shutdown for {Duration} or until the app reports unhealthy..."
    )]
    public static partial void BlockingShutdown(this ILogger log, string duration);

    [LoggerMessage(14, LogLevel.Information, "Dapr is stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(
        15,
        LogLevel.Warning,
        "The graceful shutdown period of {Duration} is over; what still runs is cut off"
    )]
    public static partial void ShutdownTimedOut(this ILogger log, string duration);

    [LoggerMessage(16, LogLevel.Error, "{What} failed")]
    public static partial void Unexpected(this ILogger log, string what, Exception problem);

    /// <summary>One call of the HTTP or gRPC API; its figures become members of the line.</summary>
    public static void ApiCalled(this ILogger log, string api, in ApiCall call) =>
        log.Log(LogLevel.Information, ApiCallEvent, call, null, (_, _) => api + " API Called");

    [LoggerMessage(20, LogLevel.Error, "Error processing message of topic {Topic}: {Reason}")]
    public static partial void DeliveryFailed(this ILogger log, string topic, string reason);

    [LoggerMessage(21, LogLevel.Error, "Error acknowledging message {Id} of topic {Topic}: {Reason}")]
    public static partial void AckFailed(this ILogger log, string id, string topic, string reason);

    [LoggerMessage(22, LogLevel.Error, "redis streams: error reading from {Server}: {Reason}")]
    public static partial void ReadFailed(this ILogger log, string server, string reason);

    [LoggerMessage(23, LogLevel.Error, "redis streams: error claiming pending messages of {Topic}: {Reason}")]
    public static partial void ClaimFailed(this ILogger log, string topic, string reason);

    [LoggerMessage(
        24,
        LogLevel.Information,
        "app is subscribed to the following topics: [{Topics}] through pubsub={PubSub}"
    )]
    public static partial void Subscribed(this ILogger log, string topics, string pubSub);

    [LoggerMessage(25, LogLevel.Error, "subscription to topic {Topic} on pubsub {PubSub} is not possible: {Reason}")]
    public static partial void NotSubscribed(this ILogger log, string topic, string pubSub, string reason);

    [LoggerMessage(26, LogLevel.Warning, "dropping {What} event of topic {Topic}")]
    public static partial void EventDropped(this ILogger log, string what, string topic);

    [LoggerMessage(
        27,
        LogLevel.Error,
        "failed to send message of topic {Topic} to dead letter topic {DeadLetterTopic}: {Reason}"
    )]
    public static partial void DeadLetterFailed(this ILogger log, string topic, string deadLetterTopic, string reason);

    [LoggerMessage(
        28,
        LogLevel.Information,
        "span {Name} trace={TraceId} span={SpanId} parent={ParentId} {Milliseconds}ms"
    )]
    public static partial void Span(
        this ILogger log,
        string name,
        string traceId,
        string spanId,
        string parentId,
        double milliseconds
    );
}
