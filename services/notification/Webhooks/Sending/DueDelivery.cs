using LocalPlus.Kernel;
using LocalPlus.Notification.Events;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>A delivery that was claimed, with all that it takes to send it.</summary>
/// <param name="Attempts">This one counted in; a claim that ran out has another number.</param>
/// <param name="Tries">Those since it was queued last.</param>
/// <param name="Data">Null when the event has had its 30 days.</param>
internal sealed record DueDelivery(
    WebhookId WebhookId,
    EventId EventId,
    string Key,
    long Sequence,
    int Attempts,
    int Tries,
    DateTimeOffset QueuedAt,
    string Url,
    byte[] Secret,
    byte[]? OldSecret,
    bool IsFailing,
    string? Topic,
    string? Type,
    DateTimeOffset? OccurredAt,
    string? Data
)
{
    /// <summary>Null when there is nothing left to send.</summary>
    public MerchantEvent? Event =>
        this is { Topic: { } topic, Type: { } type, OccurredAt: { } at, Data: { } data }
            ? new KeptEventRow(EventId, 0, topic, type, Key, Sequence, at, data).ToView()
            : null;
}

/// <summary>What an attempt brought.</summary>
/// <param name="Status">Null when there was no answer.</param>
/// <param name="Error">Null when it arrived; a code of ours, never what a server says.</param>
internal sealed record SendResult(
    DateTimeOffset At,
    TimeSpan Duration,
    string Signature,
    short? Status,
    string? Error,
    byte[] Answer
)
{
    public const short Gone = 410;

    public bool HasArrived => Error is null;

    public bool IsGone => Status == Gone;
}
