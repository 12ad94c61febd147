using System.Text.Json;
using Dapr.Client;
using LocalPlus.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// What merchant tells every replica of every service at once, over the Dapr component <c>broadcast</c>: a key or a
/// person is over, a till is blocked, or a merchant may less than before. It takes nothing but what was known already:
/// merchant is asked again, and its answer holds (ADR 0060).
/// </summary>
/// <param name="Of">The key's id, the person's, the till's, or the merchant's.</param>
/// <param name="EndsAt">Of a key, a person or a till: from then on it is refused.</param>
/// <param name="Status">Of a merchant: what it is now; active tells nothing.</param>
public sealed record KeyNews(Guid Of, DateTimeOffset? EndsAt, MerchantStatus? Status)
{
    internal const string TopicName = "keys.merchant";

    /// <summary>In case it comes back as a dead letter.</summary>
    public string Topic { get; init; } = TopicName;

    public static KeyNews Ended(ApiKeyId key, DateTimeOffset at) => new(key.Value, at, null);

    public static KeyNews Blocked(TerminalId terminal, DateTimeOffset at) => new(terminal.Value, at, null);

    public static KeyNews Changed(MerchantId merchant, MerchantStatus status) => new(merchant.Value, null, status);
}

/// <summary>Merchant's mouth.</summary>
public sealed class KeyBroadcast(DaprClient dapr, TimeProvider time, ILogger<KeyBroadcast> log)
{
    private const int Tries = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Tells it once the transaction is committed and never without; nobody waits for it. What does not arrive is known
    /// when a verdict ends.
    /// </summary>
    public void TellWith(DbSession db, KeyNews news) => db.OnCommit(() => _ = TellAsync(news));

    private async Task TellAsync(KeyNews news)
    {
        // It is for everybody, and has its own time.
        RequestDeadline.Forget();
        var body = JsonSerializer.SerializeToUtf8Bytes(news, StrictJson.Lenient);
        for (var tries = 1; !await TryAsync(news.Topic, body, isLast: tries == Tries) && tries < Tries; tries++)
        {
            await Task.Delay(Pause, time);
        }
    }

    private async Task<bool> TryAsync(string topic, byte[] body, bool isLast)
    {
        using var late = new CancellationTokenSource(Pause, time);
        try
        {
            await dapr.PublishByteEventAsync(
                    DaprBackplane.Component,
                    topic,
                    body,
                    "application/json",
                    DaprBackplane.Raw,
                    late.Token
                )
                .WaitAsync(late.Token);
            return true;
        }
        catch (Exception exception) when (exception is Dapr.DaprException or OperationCanceledException)
        {
            if (isLast)
            {
                log.KeyNewsUntold(exception);
            }

            return false;
        }
    }
}

/// <summary>Where each replica hears it: POST /events/keys.merchant.</summary>
internal sealed class KeyDoor : IConsumer
{
    public string Topic => KeyNews.TopicName;

    public async Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        foreach (var arrival in arrivals)
        {
            if (Read(arrival.Body) is { } news)
            {
                await services.GetRequiredService<KeyRulings>().HearAsync(news);
            }
            else
            {
                subscriber.Log.EventRefused(Topic, "not of a key");
            }
        }

        return true;
    }

    private static KeyNews? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize<KeyNews>(body, StrictJson.Lenient) is { } news && news.Of != default
                ? news
                : null;
        }
        catch (JsonException)
        {
            // Somebody else's: told above.
            return null;
        }
    }
}
