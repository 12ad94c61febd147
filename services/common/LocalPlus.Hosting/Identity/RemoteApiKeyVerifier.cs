using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Kernel;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Asks the merchant service, and remembers its answer for <see cref="Lifetime"/>: a revoked key stops working
/// everywhere within that time. One question per key at a time. A key that is in use is asked about before its time is
/// over, by the way, so that no request waits for that. Only merchant's own words are a verdict; while there are none,
/// a known key stays good for <see cref="StaleLifetime"/>, so that tills go on paying, and any other gets busy
/// (ADR 0010).
/// </summary>
internal sealed class RemoteApiKeyVerifier(HttpClient merchants, TimeProvider time, ILogger<RemoteApiKeyVerifier> log)
    : IApiKeyVerifier,
        IPeerPath,
        IDisposable
{
    /// <summary>The code with which merchant, and nobody else, refuses a key.</summary>
    public const string RefusedCode = "api_key_invalid";

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleLifetime = TimeSpan.FromSeconds(60);

    /// <summary>A known key that is used when it is this old is asked about again.</summary>
    private static readonly TimeSpan RenewedAfter = TimeSpan.FromSeconds(2);

    /// <summary>So long a known key that was not in use waits for merchant's word before it passes without.</summary>
    private static readonly TimeSpan KnownPatience = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Keys that nobody knows yet are asked about so many at a time, so that they do not stand in the way of the
    /// others.
    /// </summary>
    private const int MaxStrangers = 16;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>So long after a question without an answer a known key does not wait for another one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Has the form of a key and is nobody's.</summary>
    private static readonly string NobodysKey =
        ApiKeyForm.TestPrefix + new string('0', ApiKeyForm.Length - ApiKeyForm.TestPrefix.Length);

    private readonly KnownKeys known = new(time);
    private readonly ConcurrentDictionary<string, Lazy<Task<KnownKeys.Known>>> asking = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim strangers = new(MaxStrangers);
    private long unansweredAt = long.MinValue;

    public async ValueTask<MerchantIdentity?> VerifyAsync(string key, IPAddress? from, CancellationToken cancel)
    {
        var hit = known.Find(key);
        if (hit is not null && (known.Age(hit) < Lifetime || (IsStale(hit) && IsSilent())))
        {
            if (hit.Identity is not null && known.Age(hit) >= RenewedAfter && !IsSilent())
            {
                _ = RenewAsync(key, hit, from);
            }

            return hit.Identity;
        }

        try
        {
            var patience = hit is not null && IsStale(hit) ? KnownPatience : Timeout;
            return (await Ask(key, hit, from).WaitAsync(patience, time, cancel)).Identity;
        }
        catch (TimeoutException) when (hit is not null && IsStale(hit))
        {
            return hit.Identity;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException or TimeoutException
                && !cancel.IsCancellationRequested
            )
        {
            log.ApiKeyUnverified(exception);
            return hit is not null && IsStale(hit)
                ? hit.Identity
                : throw new FaultException(CommonFaults.Busy, "API keys can not be verified at the moment.");
        }
    }

    public async Task<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            await AskMerchantAsync(NobodysKey, from: null, cancel);
            return null;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return "merchant away";
        }
    }

    public void Dispose()
    {
        merchants.Dispose();
        strangers.Dispose();
    }

    /// <summary>A good key that merchant has not been asked about for a while, though not for too long.</summary>
    private bool IsStale(KnownKeys.Known hit) => hit.Identity is not null && known.Age(hit) < StaleLifetime;

    private bool IsSilent() =>
        Interlocked.Read(ref unansweredAt) is var at && at != long.MinValue && time.GetElapsedTime(at) < Patience;

    private Task<KnownKeys.Known> Ask(string key, KnownKeys.Known? hit, IPAddress? from) =>
        asking
            .GetOrAdd(
                key,
                k => new Lazy<Task<KnownKeys.Known>>(async () =>
                {
                    // Nobody's patience but the question's own: it is everybody's who comes meanwhile.
                    RequestDeadline.Forget();
                    try
                    {
                        return await (hit?.Identity is null ? AskForStrangerAsync(k, from) : AskAsync(k, from));
                    }
                    finally
                    {
                        asking.TryRemove(k, out _);
                    }
                })
            )
            .Value;

    private async Task RenewAsync(string key, KnownKeys.Known hit, IPAddress? from)
    {
        try
        {
            await Ask(key, hit, from);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            log.ApiKeyUnverified(exception);
        }
    }

    private async Task<KnownKeys.Known> AskForStrangerAsync(string key, IPAddress? from)
    {
        if (!await strangers.WaitAsync(Timeout))
        {
            throw new HttpRequestException("Too many unknown keys at once.");
        }

        try
        {
            return await AskAsync(key, from);
        }
        finally
        {
            strangers.Release();
        }
    }

    private async Task<KnownKeys.Known> AskAsync(string key, IPAddress? from)
    {
        try
        {
            return known.Add(key, await AskMerchantAsync(key, from, CancellationToken.None));
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            Interlocked.Exchange(ref unansweredAt, time.GetTimestamp());
            throw;
        }
    }

    /// <summary>
    /// Merchant's verdict. Throws <see cref="HttpRequestException"/> for whatever else is answered, and by whomever.
    /// </summary>
    private async Task<MerchantIdentity?> AskMerchantAsync(string key, IPAddress? from, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Timeout);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/internal/api_keys/verify")
        {
            Content = JsonContent.Create(new VerifyRequest(key), options: StrictJson.Options),
        };
        if (from is not null)
        {
            // Not in the body: a merchant of the release before refuses what it does not know.
            request.Headers.Add(ClientAddress.Header, from.ToString());
        }

        using var response = await merchants.SendAsync(request, deadline.Token);
        var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
        try
        {
            if (
                response.StatusCode == HttpStatusCode.OK
                && JsonSerializer.Deserialize<VerifyResponse>(body, StrictJson.Lenient) is { Scopes: not null } answer
                && answer.MerchantId != default
                && answer.KeyId != default
            )
            {
                return answer.ToIdentity();
            }

            if (
                response.StatusCode == HttpStatusCode.NotFound
                && JsonSerializer.Deserialize<Refusal>(body, StrictJson.Lenient) is { Code: RefusedCode }
            )
            {
                return null;
            }
        }
        catch (JsonException)
        {
            // Not merchant's words: a sidecar or a proxy has others.
        }

        throw new HttpRequestException(
            $"No verdict on an API key: {(int)response.StatusCode}.",
            null,
            response.StatusCode
        );
    }

    private sealed record VerifyRequest(string Key);

    private sealed record Refusal(string? Code);

    /// <param name="Status">Missing from a merchant of the release before.</param>
    private sealed record VerifyResponse(
        MerchantId MerchantId,
        ApiKeyId KeyId,
        bool Live,
        IReadOnlyList<string> Scopes,
        MerchantStatus Status = MerchantStatus.Active,
        JsonElement? Settings = null,
        IReadOnlyList<string>? Networks = null,
        string? Person = null
    )
    {
        public MerchantIdentity ToIdentity() =>
            new(MerchantId, KeyId, Live, Scopes.ToHashSet(StringComparer.Ordinal))
            {
                Status = Status,
                Settings = Settings,
                Person = Person,
                Networks = [.. (Networks ?? []).Select(network => IPNetwork.Parse(network))],
            };
    }
}
