using System.Security.Cryptography;
using System.Text.Json;

namespace LocalPlus.Hosting;

/// <summary>
/// What a consumer can not take, kept byte for byte, once, in this service's own table until somebody decides: no
/// broker
/// and no repetition mends it.
/// </summary>
internal static class DeadLetters
{
    private const int MaxReasonLength = 200;
    private const int MaxTopicLength = 200;
    private const string NoTopic = "unknown";

    public static Task KeepAsync(
        DbSession db,
        string topic,
        IReadOnlyCollection<DeadLetter> letters,
        DateTimeOffset now
    ) =>
        letters.Count == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Keep,
                new
                {
                    Topic = topic,
                    EventIds = letters.Select(letter => letter.EventId).ToArray(),
                    Bodies = letters.Select(letter => letter.Body).ToArray(),
                    Reasons = letters
                        .Select(letter => letter.Reason[..Math.Min(letter.Reason.Length, MaxReasonLength)])
                        .ToArray(),
                    ReceivedAt = now,
                }
            );

    /// <summary>The topic that a message says it was published to.</summary>
    public static string TopicOf(byte[] message)
    {
        try
        {
            using var json = JsonDocument.Parse(message);
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("topic", out var named)
                && named.ValueKind == JsonValueKind.String
                && named.GetString() is { Length: > 0 and <= MaxTopicLength } topic
                && !topic.Any(char.IsControl)
                ? topic
                : NoTopic;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or a text in it that is not Unicode.
            return NoTopic;
        }
    }

    private static class Sql
    {
        public const string Keep = """
            INSERT INTO dead_letters (topic, event_id, body, reason, received_at)
            SELECT DISTINCT ON (event_id) @Topic, event_id, body, reason, @ReceivedAt
              FROM unnest(@EventIds, @Bodies, @Reasons) AS l (event_id, body, reason)
                ON CONFLICT (topic, event_id) DO UPDATE
               SET refusals = dead_letters.refusals + 1, reason = EXCLUDED.reason, state = 'parked'
            """;
    }
}

/// <summary>Takes what has no consumer here.</summary>
internal sealed class NobodysConsumer(string topic) : IConsumer
{
    public string Topic => topic;

    public async Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        DeadLetter[] letters = [.. arrivals.Select(arrival => DeadLetter.OfNoEvent(arrival.Body, "no consumer"))];
        var cause = await subscriber.Pause.TryAsync(
            async () =>
            {
                await using var db = await subscriber.Database.BeginAsync(cancel);
                await DeadLetters.KeepAsync(db, topic, letters, subscriber.Time.GetUtcNow());
                await db.CommitAsync();
            },
            cancel
        );
        foreach (var letter in letters)
        {
            subscriber.Log.EventRefused(topic, letter.Reason);
        }

        return cause is null;
    }
}

/// <summary>A message and why it is not taken.</summary>
/// <param name="EventId">The event's, or what the message is known by that has none: the hash of its bytes.</param>
internal sealed record DeadLetter(string EventId, byte[] Body, string Reason)
{
    public static DeadLetter OfNoEvent(byte[] body, string reason) =>
        new($"sha256:{Convert.ToHexStringLower(SHA256.HashData(body))}", body, reason);
}
