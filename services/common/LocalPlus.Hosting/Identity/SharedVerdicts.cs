using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Verdicts on API keys in the Dapr state component <c>cachestore</c>, for replicas of this service that know a key not
/// yet while merchant says nothing; nobody else reads them. What is kept of a key is found by a keyed hash of its id,
/// is sealed for that place, and has the hash of the whole text in it: whoever can write to the cache makes no key good
/// (ADR 0060). Never fails: without the cache there are none.
/// </summary>
internal sealed class SharedVerdicts(
    DaprStateCache store,
    FingerprintKeys keys,
    ServiceIdentity service,
    TimeProvider time,
    ILogger<SharedVerdicts> log
)
{
    /// <summary>So long after merchant said it a verdict serves while merchant is silent.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>A verdict that is in use is written down again when it is this old.</summary>
    public static readonly TimeSpan RewrittenAfter = TimeSpan.FromSeconds(30);

    /// <summary>By so much clocks of replicas may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private const string Purpose = "shared-verdict";
    private static readonly CachePolicy Verdicts = new("verdict", Lifetime);
    private static readonly CachePolicy Rulings = new("ruling", Lifetime + ClockSkew + ClockSkew);
    private long failedAt = long.MinValue;

    /// <summary>What any replica has written, whatever it is of: that there are verdicts.</summary>
    private static readonly Guid Any = Guid.Empty;

    public async Task SaveAsync(string key, KeyVerdict verdict, DateTimeOffset askedAt)
    {
        if (ApiKeyForm.TryParse(key, out var id, out _))
        {
            await WriteAsync(Verdicts, id, new Kept(askedAt, TextOf(key), verdict));
            await WriteAsync(Verdicts, Any, new Kept(askedAt, [], null));
        }
    }

    public Task SaveAsync(Guid of, KeyRuling ruling) => WriteAsync(Rulings, of, ruling);

    /// <summary>
    /// What merchant said of the key last, and what it told since; null: nobody knows. Merchant's word is at most
    /// <see cref="Lifetime"/> old.
    /// </summary>
    public async Task<(
        KeyVerdict Verdict,
        DateTimeOffset AskedAt,
        IEnumerable<(Guid Of, KeyRuling Ruling)> Since
    )?> FindAsync(string key)
    {
        var now = time.GetUtcNow();
        if (
            !ApiKeyForm.TryParse(key, out var id, out _)
            || await ReadAsync<Kept>(Verdicts, id) is not { Verdict: { } verdict } kept
            || !CryptographicOperations.FixedTimeEquals(kept.Text, TextOf(key))
            || verdict.KeyId.Value != id
            || !IsInTime(kept.AskedAt, now)
        )
        {
            return null;
        }

        var since = new List<(Guid, KeyRuling)>();
        foreach (var of in new[] { id, verdict.MerchantId.Value })
        {
            if (await SinceAsync(of, kept.AskedAt, now) is { } ruling)
            {
                since.Add((of, ruling));
            }
        }

        return (verdict, kept.AskedAt < now ? kept.AskedAt : now, since);
    }

    /// <summary>What merchant said of something else that a sale names by its id.</summary>
    public Task SaveAsync<T>(CachePolicy kind, Guid of, T word, DateTimeOffset askedAt) =>
        WriteAsync(kind, of, new Said<T>(word, askedAt));

    /// <summary>As of a key: at most <see cref="Lifetime"/> old, and with what was told since.</summary>
    public async Task<(Said<T> Said, KeyRuling? Since)?> FindAsync<T>(CachePolicy kind, Guid of)
    {
        var now = time.GetUtcNow();
        if (await ReadAsync<Said<T>>(kind, of) is not { } said || !IsInTime(said.AskedAt, now))
        {
            return null;
        }

        return (said.AskedAt < now ? said : said with { AskedAt = now }, await SinceAsync(of, said.AskedAt, now));
    }

    /// <summary>Whether replicas have left verdicts that still serve.</summary>
    public async Task<bool> AreThereAsync() =>
        await ReadAsync<Kept>(Verdicts, Any) is { } any && time.GetUtcNow() - any.AskedAt < Lifetime;

    private static bool IsInTime(DateTimeOffset askedAt, DateTimeOffset now) =>
        now - askedAt < Lifetime && askedAt - now <= ClockSkew;

    /// <summary>
    /// Whoever asked merchant has another clock than who heard what it told: in doubt the question was before.
    /// </summary>
    private async Task<KeyRuling?> SinceAsync(Guid of, DateTimeOffset askedAt, DateTimeOffset now) =>
        await ReadAsync<KeyRuling>(Rulings, of) is { } ruling && askedAt <= ruling.HeardAt + ClockSkew
            ? ruling with
            {
                HeardAt = now,
            }
            : null;

    private async Task WriteAsync<T>(CachePolicy policy, Guid of, T value)
    {
        var name = Name(policy, of);
        var box = SealedBox.Seal(
            keys,
            Purpose,
            JsonSerializer.SerializeToUtf8Bytes(value, StrictJson.Lenient),
            Encoding.UTF8.GetBytes(name)
        );
        await TryAsync(async () =>
        {
            await store.SetAsync(
                name,
                box,
                new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = policy.Life }
            );
            return box;
        });
    }

    private async Task<T?> ReadAsync<T>(CachePolicy policy, Guid of)
        where T : class
    {
        var name = Name(policy, of);
        if (await TryAsync(() => store.GetAsync(name)) is not { } box)
        {
            return null;
        }

        if (SealedBox.Open(keys, Purpose, box, Encoding.UTF8.GetBytes(name)) is { } text)
        {
            return JsonSerializer.Deserialize<T>(text, StrictJson.Lenient);
        }

        log.VerdictForged(policy.Entity);
        return null;
    }

    /// <summary>Null where the cache says nothing; then it is left alone for a moment.</summary>
    private async Task<byte[]?> TryAsync(Func<Task<byte[]?>> call)
    {
        if (
            Interlocked.Read(ref failedAt) is var at
            && at != long.MinValue
            && time.GetElapsedTime(at) < Caches.StorePause
        )
        {
            return null;
        }

        try
        {
            return await call();
        }
        catch (Exception exception) when (exception is Dapr.DaprException or RpcException or TimeoutException)
        {
            Interlocked.Exchange(ref failedAt, time.GetTimestamp());
            log.VerdictsUnshared(exception);
            return null;
        }
    }

    private string Name(CachePolicy policy, Guid of) =>
        policy.Key(
            service,
            Convert.ToHexStringLower(Mac([.. Encoding.UTF8.GetBytes(policy.Entity), .. of.ToByteArray()]))
        );

    private byte[] TextOf(string key) => Mac(Encoding.UTF8.GetBytes(key));

    private byte[] Mac(byte[] text) => HMACSHA256.HashData(keys.Derive(keys.Newest, $"{Purpose}-name"), text);

    /// <param name="AskedAt">When merchant was asked, by the clock of who asked.</param>
    /// <param name="Text">The keyed hash of the key's whole text.</param>
    private sealed record Kept(DateTimeOffset AskedAt, byte[] Text, KeyVerdict? Verdict);
}
