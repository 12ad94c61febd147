using System.Diagnostics;
using System.Net;
using System.Text;
using LocalPlus.Analytics;
using LocalPlus.Tests.Integration.Merchant;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Identity;

/// <summary>
/// What replicas of a service know of keys together while merchant is away, and how they hear that a key is over
/// (ADR 0060).
/// </summary>
public sealed class SharedVerdictTests : IAsyncLifetime
{
    private const string Report = "/v1/reports/daily?from=2026-03-10&to=2026-03-10";
    private const string Verdicts = "analytics:verdict:";
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(5);
    private readonly List<RunningService> replicas = [];
    private StubDapr dapr = null!;
    private StubSidecar sidecar = null!;
    private MerchantApi merchant = null!;
    private TestDatabase database = null!;

    public async Task InitializeAsync()
    {
        dapr = await StubDapr.StartAsync();
        sidecar = await StubSidecar.StartAsync();
        merchant = new MerchantApi { GrpcPort = dapr.Port };
        await merchant.InitializeAsync();
        sidecar.Merchant = merchant.Service;
        database = await TestDatabase.CreateAsync("analytics", typeof(AnalyticsRollup).Assembly);
    }

    public async Task DisposeAsync()
    {
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }

        await merchant.DisposeAsync();
        await sidecar.DisposeAsync();
        await dapr.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_that_starts_while_merchant_is_away_serves_the_keys_that_others_knew()
    {
        var (_, key, _) = await merchant.OnboardAsync();
        var (_, unused, _) = await merchant.OnboardAsync();
        await UseAsync(key, await StartAsync());
        sidecar.MerchantUp = false;

        var late = await StartAsync();

        Assert.Equal(HttpStatusCode.OK, await AskAsync(late, key));
        // Nobody has asked about this one: it is not known to be nobody's.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(late, unused));
        // And of a known key only the very text is good.
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable,
            await AskAsync(late, $"{key[..^1]}{(key[^1] == '0' ? '1' : '0')}")
        );
        var secret = key[^32..];
        Assert.DoesNotContain(dapr.Store.Keys, name => name.Contains(secret, StringComparison.Ordinal));
        Assert.DoesNotContain(
            dapr.Store.Keys,
            name => Encoding.UTF8.GetString(dapr.Store.Read(name)!).Contains(secret, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task T41_a_verdict_that_was_forged_changed_or_moved_is_none()
    {
        var (_, key, _) = await merchant.OnboardAsync();
        var (_, other, _) = await merchant.OnboardAsync();
        var first = await StartAsync();
        var mine = await UseAsync(key, first);
        var theirs = await UseAsync(other, first);
        var good = dapr.Store.Read(mine)!;
        sidecar.MerchantUp = false;
        byte[] changed = [.. good];
        changed[^1] ^= 1;
        byte[][] forged =
        [
            changed,
            dapr.Store.Read(theirs)!,
            Encoding.UTF8.GetBytes("""{"asked_at":"2999-01-01T00:00:00Z","verdict":{"scopes":["reports:read"]}}"""),
            [],
        ];

        foreach (var poison in forged)
        {
            dapr.Store.Write(mine, poison);
            await using var late = await StartAsync(isKept: false);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(late, key));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(late, other));
        }

        // It was the poison: as it was written it serves.
        dapr.Store.Write(mine, good);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(await StartAsync(), key));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_by_every_replica_within_5_s_although_merchant_is_away_then()
    {
        var (_, key, keyId) = await merchant.OnboardAsync();
        RunningService[] both = [await StartAsync(), await StartAsync()];
        var verdict = await UseAsync(key, both);
        var before = dapr.Store.Read(verdict)!;

        await merchant.CallAsync(HttpMethod.Delete, $"/v1/api_keys/{keyId}", key, status: 204);
        var since = Stopwatch.StartNew();
        sidecar.MerchantUp = false;

        foreach (var replica in both)
        {
            await Eventually.TrueAsync(async () => await AskAsync(replica, key) == HttpStatusCode.Unauthorized);
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Promise);
        }

        // Nor by one that starts later, and finds the verdict from before.
        dapr.Store.Write(verdict, before);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(await StartAsync(), key));
    }

    [Fact]
    public async Task A_key_that_was_rotated_at_once_is_refused_although_merchant_is_away_then()
    {
        var (_, key, keyId) = await merchant.OnboardAsync();
        var replica = await StartAsync();
        await UseAsync(key, replica);

        await merchant.CallAsync(
            HttpMethod.Post,
            $"/v1/api_keys/{keyId}/rotate",
            key,
            new { overlap_seconds = 0 },
            201
        );
        sidecar.MerchantUp = false;

        await Eventually.TrueAsync(async () => await AskAsync(replica, key) == HttpStatusCode.Unauthorized);
    }

    private async Task<RunningService> StartAsync(bool isKept = true)
    {
        var replica = await RunningService.StartAsync(
            typeof(AnalyticsRollup).Assembly.Location,
            database,
            sidecar.Port,
            dapr.Port
        );
        if (isKept)
        {
            replicas.Add(replica);
            dapr.Store.Replicas.Add((topic, body) => HearAsync(replica, topic, body));
        }

        return replica;
    }

    /// <summary>As the sidecar delivers a broadcast to each replica that subscribes to its topic.</summary>
    private static async Task HearAsync(RunningService replica, string topic, byte[] body)
    {
        if (topic == "keys.merchant")
        {
            var answer = await replica.DeliverRawAsync(topic, body);
            Assert.Equal("SUCCESS", answer);
        }
    }

    /// <summary>Uses the key at each of them; gives the name of what they have written down of it.</summary>
    private async Task<string> UseAsync(string key, params RunningService[] all)
    {
        var before = Written();
        foreach (var replica in all)
        {
            await Eventually.TrueAsync(async () => await AskAsync(replica, key) == HttpStatusCode.OK);
        }

        // One for the key, and one that says that there are any.
        await Eventually.TrueAsync(() => Written().Length >= (before.Length == 0 ? 2 : before.Length + 1));
        return before.Length == 0
            ? Written().MaxBy(name => dapr.Store.Read(name)!.Length)!
            : Written().Except(before).Single();
    }

    private string[] Written() =>
        [.. dapr.Store.Keys.Where(name => name.StartsWith(Verdicts, StringComparison.Ordinal))];

    private static async Task<HttpStatusCode> AskAsync(RunningService replica, string key)
    {
        using var answer = await replica.SendAsync(HttpMethod.Get, Report, key);
        return answer.StatusCode;
    }
}
