using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>
/// A message as it lies on the wire. Metadata null and empty differ: a bulk publish writes none at all.
/// </summary>
internal sealed record BrokerMessage(
    string Topic,
    ReadOnlyMemory<byte> Data,
    IReadOnlyDictionary<string, string>? Metadata
);

/// <summary>
/// When a delivery must stop: <see cref="GiveUp"/> = the subscription ended, make no further attempt; <see cref="Cut"/>
/// = the time to drain is over, end the call in progress too.
/// </summary>
internal readonly record struct DeliveryTokens(CancellationToken GiveUp, CancellationToken Cut);

/// <summary>
/// Handles one message. An exception is a failure; OperationCanceledException means that it was given up.
/// </summary>
internal delegate Task MessageHandler(BrokerMessage message, DeliveryTokens tokens);

/// <summary>A broker.</summary>
internal interface IPubSub : IComponent
{
    Task PublishAsync(BrokerMessage message, CancellationToken cancel);

    /// <summary>
    /// Delivers a topic's messages until the result is disposed of. One subscription per topic at a time.
    /// </summary>
    Task<IAsyncDisposable> SubscribeAsync(string topic, MessageHandler handler, CancellationToken cancel);

    /// <summary>Waits for the deliveries in progress; cancelled, cuts them off.</summary>
    Task DrainAsync(CancellationToken limit);
}
