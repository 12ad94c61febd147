using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using LocalPlus.Kernel;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Asks the merchant service, and remembers its answer for <see cref="Lifetime"/>: a revoked key stops working everywhere
/// within that time. One question per key at a time. While the merchant service is away a known key stays good for
/// <see cref="StaleLifetime"/>, so that tills go on paying (ADR 0010).
/// </summary>
internal sealed class RemoteApiKeyVerifier(TimeProvider time, ILogger<RemoteApiKeyVerifier> log) : IApiKeyVerifier, IDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleLifetime = TimeSpan.FromSeconds(60);
    private const int MaxKeys = 10_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, Known> known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Known>>> asking = new(StringComparer.Ordinal);
    private readonly HttpClient merchants = MakeClient();

    public async ValueTask<MerchantIdentity?> VerifyAsync(string key, CancellationToken cancel)
    {
        var now = time.GetTimestamp();
        if (known.TryGetValue(key, out var hit) && time.GetElapsedTime(hit.At, now) < Lifetime)
        {
            return hit.Identity;
        }

        var asked = asking.GetOrAdd(key, k => new Lazy<Task<Known>>(() => AskAsync(k)));
        try
        {
            return (await asked.Value.WaitAsync(cancel)).Identity;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            log.ApiKeyUnverified(exception);
            return hit is { Identity: not null } && time.GetElapsedTime(hit.At, now) < StaleLifetime
                ? hit.Identity
                : throw new FaultException(CommonFaults.Busy, "API keys can not be verified at the moment.");
        }
        finally
        {
            asking.TryRemove(KeyValuePair.Create(key, asked));
        }
    }

    public void Dispose() => merchants.Dispose();

    private async Task<Known> AskAsync(string key)
    {
        using var response = await merchants.PostAsJsonAsync("/internal/api_keys/verify", new VerifyRequest(key), StrictJson.Options);
        var identity = response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized
            ? null
            : await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<VerifyResponse>(StrictJson.Lenient);
        if (known.Count >= MaxKeys)
        {
            known.Clear();
        }

        return known[key] = new Known(identity?.ToIdentity(), time.GetTimestamp());
    }

    private static HttpClient MakeClient()
    {
        var client = PeerClient.Create("merchant");
        client.Timeout = Timeout;
        return client;
    }

    private sealed record Known(MerchantIdentity? Identity, long At);

    private sealed record VerifyRequest(string Key);

    private sealed record VerifyResponse(MerchantId MerchantId, ApiKeyId KeyId, bool Live, IReadOnlyList<string> Scopes)
    {
        public MerchantIdentity ToIdentity() => new(MerchantId, KeyId, Live, Scopes.ToHashSet(StringComparer.Ordinal));
    }
}
