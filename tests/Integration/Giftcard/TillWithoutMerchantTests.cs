using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LocalPlus.Tests.Integration.Merchant;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Sales that name a till and a place while merchant is away: what replicas know of them together, and how they hear
/// that a till is blocked (ADR 0060).
/// </summary>
public sealed class TillWithoutMerchantTests : IAsyncLifetime
{
    private const string Tills = "giftcard:terminal:";
    private const string Places = "giftcard:location:";
    private const string Verdicts = "giftcard:verdict:";
    private const string Unknown = "busy /terminal_id";
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(5);
    private readonly GiftcardApi api = new();
    private readonly List<RunningService> replicas = [];
    private int opened;
    private int known;
    private MerchantApi merchant = null!;

    public async Task InitializeAsync()
    {
        await api.InitializeAsync();
        Joins(api.Service);
        merchant = new MerchantApi { GrpcPort = api.GrpcPort };
        await merchant.InitializeAsync();
        api.Sidecar.Merchant = merchant.Service;
        api.Sidecar.OnInvoke("merchant", "internal/terminals/*", AskAsync);
        api.Sidecar.OnInvoke("merchant", "internal/locations/*", AskAsync);
    }

    public async Task DisposeAsync()
    {
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }

        await merchant.DisposeAsync();
        await api.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_that_starts_while_merchant_is_away_sells_at_the_tills_and_places_that_others_knew()
    {
        var shop = await OpenAsync();
        var unused = await TillAsync(shop.Key, shop.Place);
        await KnowAsync(shop);
        var elsewhere = await ElsewhereAsync(shop);
        api.Sidecar.MerchantUp = false;

        var late = await StartAsync();

        await SoldAsync(late, shop, shop.Till);
        await SoldAsync(late, elsewhere, till: null);
        // Nobody has asked about this one: it is not known to be nobody's.
        await RefusedAsync(late, shop, unused, Unknown);
        await RefusedAsync(late, elsewhere, shop.Till, "invalid_request");
    }

    [Fact]
    public async Task T41_what_was_forged_changed_or_moved_in_the_cache_makes_no_till()
    {
        var (shop, other) = (await OpenAsync(), await OpenAsync());
        await KnowAsync(shop);
        var mine = Written(Tills).Single();
        await KnowAsync(other);
        var theirs = Written(Tills).Except([mine]).Single();
        var good = api.State.Read(mine)!;
        api.Sidecar.MerchantUp = false;
        byte[] changed = [.. good];
        changed[^1] ^= 1;
        byte[][] forged =
        [
            changed,
            api.State.Read(theirs)!,
            Encoding.UTF8.GetBytes("""{"word":{"blocked":false},"asked_at":"2999-01-01T00:00:00Z"}"""),
        ];

        foreach (var poison in forged)
        {
            api.State.Write(mine, poison);
            await using var late = await api.StartReplicaAsync();
            await RefusedAsync(late, shop, shop.Till, Unknown);
        }

        // It was the poison; and it is its own merchant's till and nobody else's.
        api.State.Write(mine, good);
        var last = await StartAsync();
        await RefusedAsync(last, other, shop.Till, Unknown);
        await SoldAsync(last, shop, shop.Till);
    }

    [Fact]
    public async Task A_blocked_till_is_refused_by_every_replica_within_5_s_although_merchant_is_away_then()
    {
        var shop = await OpenAsync();
        RunningService[] both = [api.Service, await StartAsync()];
        await KnowAsync(shop);
        await SoldAsync(both[1], shop, shop.Till);
        var till = Written(Tills).Single();
        var before = api.State.Read(till)!;
        var path = $"/v1/locations/{shop.Place}/terminals/{shop.Till}";
        await merchant.CallAsync(HttpMethod.Post, $"{path}/block", shop.Key, new { reason = "Stolen." });
        var since = Stopwatch.StartNew();
        api.Sidecar.MerchantUp = false;

        foreach (var replica in both)
        {
            await RefusedAsync(replica, shop, shop.Till, "terminal_blocked");
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Promise);
        }

        // Nor at one that starts later, and finds what was written before.
        api.State.Write(till, before);
        await RefusedAsync(await StartAsync(), shop, shop.Till, "terminal_blocked");

        // Merchant's own word holds, as soon as it says something.
        api.Sidecar.MerchantUp = true;
        await merchant.CallAsync(HttpMethod.Post, $"{path}/unblock", shop.Key, new { });
        foreach (var replica in both)
        {
            await SoldAsync(replica, shop, shop.Till);
        }
    }

    /// <summary>"busy" of something else is repeated.</summary>
    private static Task RefusedAsync(RunningService replica, Shop shop, string till, string refusal) =>
        Eventually.TrueAsync(async () => await RefusalAsync(replica, shop, till) == refusal);

    private string[] Written(string kind) =>
        [.. api.State.Keys.Where(name => name.StartsWith(kind, StringComparison.Ordinal))];

    /// <summary>
    /// Sells at the till until what is known of it and of its merchant's key is written down, which is done by the way
    /// and again after a while where the cache was too slow.
    /// </summary>
    private async Task KnowAsync(Shop shop)
    {
        var tills = ++known;
        await Eventually.TrueAsync(async () =>
            await RefusalAsync(api.Service, shop, shop.Till) is null
            && Written(Tills).Length == tills
            // One for each merchant, and one that says that there are any.
            && Written(Verdicts).Length == opened + 1
        );
    }

    /// <summary>A place where the merchant has sold without a till, and which is written down.</summary>
    private async Task<Shop> ElsewhereAsync(Shop shop)
    {
        await Eventually.TrueAsync(async () =>
        {
            shop = shop with { Place = await PlaceAsync(shop.Key) };
            await SoldAsync(api.Service, shop, till: null);
            return Written(Places).Any(name => name.Contains(shop.Place, StringComparison.Ordinal));
        });
        return shop;
    }

    private async Task<RunningService> StartAsync()
    {
        var replica = await api.StartReplicaAsync();
        replicas.Add(replica);
        Joins(replica);
        return replica;
    }

    /// <summary>As the sidecar delivers what merchant broadcasts.</summary>
    private void Joins(RunningService replica) =>
        api.State.Replicas.Add(
            async (topic, body) =>
            {
                if (topic == "keys.merchant")
                {
                    Assert.Equal("SUCCESS", await replica.DeliverRawAsync(topic, body));
                }
            }
        );

    /// <summary>What giftcard asks merchant, which may be away.</summary>
    private async Task<IResult> AskAsync(HttpRequest request)
    {
        if (!api.Sidecar.MerchantUp)
        {
            return Results.StatusCode(500);
        }

        var path = request.Path.Value!.Split("/method")[1];
        using var said = await merchant.Service.App.GetAsync(new Uri($"{path}{request.QueryString}", UriKind.Relative));
        return Results.Content(
            await said.Content.ReadAsStringAsync(),
            said.Content.Headers.ContentType?.ToString(),
            statusCode: (int)said.StatusCode
        );
    }

    /// <summary>A merchant with a place, a till and a card.</summary>
    private async Task<Shop> OpenAsync()
    {
        opened++;
        var (_, key, _) = await merchant.OnboardAsync();
        var place = await PlaceAsync(key);
        var till = await TillAsync(key, place);
        var (_, code) = await api.SellAsync(10_000, key: key);
        return new(key, place, till, code);
    }

    private async Task<string> PlaceAsync(string key) =>
        Id(await merchant.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "Paix" }, 201));

    private async Task<string> TillAsync(string key, string place) =>
        Id(await merchant.CallAsync(HttpMethod.Post, $"/v1/locations/{place}/terminals", key, new { name = "1" }, 201));

    private static string Id(JsonElement made) => made.GetProperty("id").GetString()!;

    private static Task SoldAsync(RunningService replica, Shop shop, string? till) =>
        Eventually.TrueAsync(async () => await RefusalAsync(replica, shop, till) is null);

    /// <summary>The refusal's code, and of what could not be verified its name; null: it was sold.</summary>
    private static async Task<string?> RefusalAsync(RunningService replica, Shop shop, string? till)
    {
        using var answer = await replica.SendAsync(
            HttpMethod.Post,
            "/v1/redemptions",
            shop.Key,
            new
            {
                mode = "immediate",
                amount = GiftcardApi.Eur(10),
                sources = new[] { new { gift_card = new { code = shop.Code } } },
                location_id = shop.Place,
                terminal_id = till,
            }
        );
        if (answer.IsSuccessStatusCode)
        {
            return null;
        }

        var problem = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        var code = GiftcardApi.Code(problem);
        return code == "busy" ? $"{code} {problem.GetProperty("detail").GetString()!.Split(' ')[0]}" : code;
    }

    private sealed record Shop(string Key, string Place, string Till, string Code);
}
