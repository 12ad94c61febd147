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
/// a key that this replica or another one (<see cref="SharedVerdicts"/>) knew stays good for
/// <see cref="StaleLifetime"/>, so that tills go on paying, unless merchant told its end meanwhile
/// (<see cref="KeyRulings"/>); any other gets busy (ADR 0010, 0060).
/// </summary>
internal sealed class RemoteApiKeyVerifier(
    HttpClient merchants,
    SharedVerdicts shared,
    KeyRulings rulings,
    TimeProvider time,
    ILogger<RemoteApiKeyVerifier> log
) : IApiKeyVerifier, IPeerPath, IDisposable
{
    /// <summary>The code with which merchant, and nobody else, refuses a key.</summary>
    public const string RefusedCode = "api_key_invalid";

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleLifetime = SharedVerdicts.Lifetime;

    /// <summary>A known key that is used when it is this old is asked about again.</summary>
    private static readonly TimeSpan RenewedAfter = TimeSpan.FromSeconds(2);

    /// <summary>So long a key waits for merchant's word before it passes by what is known of it.</summary>
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
            var identity = rulings.Judge(hit);
            if (identity is not null && known.Age(hit) >= RenewedAfter && !IsSilent())
            {
                _ = RenewAsync(key, hit, from);
            }

            // Whose end was told may ask merchant, if it says anything: its answer holds.
            if (identity is not null || hit.Identity is null || IsSilent())
            {
                return identity;
            }
        }

        var began = time.GetTimestamp();
        try
        {
            return rulings.Judge(await Ask(key, hit, from).WaitAsync(KnownPatience, time, cancel));
        }
        catch (Exception exception) when (IsNoAnswer(exception) && !cancel.IsCancellationRequested)
        {
            if (await StandInAsync(key, hit) is { } old)
            {
                return rulings.Judge(old);
            }

            if (exception is not TimeoutException)
            {
                throw Unanswered(exception);
            }
        }

        // Merchant may have answered somebody meanwhile.
        if (
            known.Find(key) is { } answered
            && !ReferenceEquals(answered, hit)
            && known.Age(answered) < Lifetime
            && rulings.Judge(answered) is { } verdict
        )
        {
            return verdict;
        }

        // Nobody knows it: it waits until merchant has had its time.
        try
        {
            var left = Timeout - time.GetElapsedTime(began);
            return rulings.Judge(
                await Ask(key, hit, from).WaitAsync(left > TimeSpan.Zero ? left : default, time, cancel)
            );
        }
        catch (Exception exception) when (IsNoAnswer(exception) && !cancel.IsCancellationRequested)
        {
            throw Unanswered(exception);
        }
    }

    public async Task<string?> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            await AskMerchantAsync(NobodysKey, from: null, cancel).WaitAsync(Patience, time, cancel);
            return null;
        }
        catch (Exception exception) when (IsNoAnswer(exception) && !cancel.IsCancellationRequested)
        {
            // Who has what others left can serve their keys.
            return await shared.AreThereAsync() ? null : "merchant away";
        }
    }

    public void Dispose()
    {
        merchants.Dispose();
        strangers.Dispose();
    }

    /// <summary>A good key that merchant has not been asked about for a while, though not for too long.</summary>
    private bool IsStale(KnownKeys.Known hit) => hit.Identity is not null && known.Age(hit) < StaleLifetime;

    private static bool IsNoAnswer(Exception exception) =>
        exception is HttpRequestException or TaskCanceledException or TimeoutException;

    private FaultException Unanswered(Exception exception)
    {
        log.ApiKeyUnverified(exception);
        return new FaultException(CommonFaults.Busy, "API keys can not be verified at the moment.");
    }

    /// <summary>What is known of a key while merchant is silent, here or elsewhere. A refusal has no grace.</summary>
    private async Task<KnownKeys.Known?> StandInAsync(string key, KnownKeys.Known? hit)
    {
        if (hit is not null && (hit.Identity is null || IsStale(hit)))
        {
            return hit.Identity is null ? null : hit;
        }

        if (await shared.FindAsync(key) is not { } found)
        {
            return null;
        }

        foreach (var (of, ruling) in found.Since)
        {
            rulings.Note(of, ruling);
        }

        return known.Add(key, found.Verdict, found.AskedAt);
    }

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
        var askedAt = time.GetUtcNow();
        try
        {
            var verdict = await AskMerchantAsync(key, from, CancellationToken.None);
            if (verdict is null && known.Find(key)?.Identity is { } over)
            {
                // For the others, in case that they were not told.
                _ = rulings.HearAsync(KeyNews.Ended(over.KeyId, askedAt));
            }

            var fresh = known.Add(key, verdict, askedAt);
            if (verdict is not null && !(askedAt - fresh.WrittenAt < SharedVerdicts.RewrittenAfter))
            {
                fresh.WrittenAt = askedAt;
                _ = shared.SaveAsync(key, verdict, askedAt);
            }

            return fresh;
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
    private async Task<KeyVerdict?> AskMerchantAsync(string key, IPAddress? from, CancellationToken cancel)
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
            if (response.StatusCode == HttpStatusCode.OK && KeyVerdict.Read(body) is { } verdict)
            {
                return verdict;
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
}
