using System.Net;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>
/// What is known of a request that is repeated needs no peer: not even a service that has just started asks.
/// </summary>
public sealed class RepeatWithoutPeerTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private static readonly TerminalId Till = TerminalId.New(TimeProvider.System);
    private readonly string location = $"{GiftcardApi.PlaceOf(Till)}";

    /// <summary>A place that nobody has asked about, so that not even a cache knows whose it is.</summary>
    private readonly string unknown = $"{LocationId.New(TimeProvider.System)}";

    [Fact]
    public Task A_programmes_repeat_gets_its_answer_while_merchant_is_away() =>
        RepeatAsync(
            "/v1/programs",
            place => new
            {
                name = "Gift cards",
                currency = "EUR",
                locations = new[] { place },
            }
        );

    [Fact]
    public Task An_allowances_repeat_gets_its_answer_while_merchant_is_away() =>
        RepeatAsync(
            $"/v1/terminals/{Till}/offline_allowances",
            place => new
            {
                card_cap = GiftcardApi.Eur(1000),
                total_cap = GiftcardApi.Eur(5000),
                valid_seconds = 3600,
                location_id = place,
            }
        );

    [Fact]
    public async Task A_programmes_repeated_change_is_told_of_its_version_while_merchant_is_away()
    {
        var program = await api.ProgramAsync();
        var change = new { locations = new[] { location } };
        await api.PatchAsync($"/v1/programs/{program}", change, version: 1);

        await WithoutMerchantAsync(async () =>
        {
            var refused = await api.PatchAsync($"/v1/programs/{program}", change, version: 1, status: 412);
            Assert.Equal("version_conflict", GiftcardApi.Code(refused));
            var other = new { locations = new[] { unknown } };
            Assert.Equal(
                "busy",
                GiftcardApi.Code(await api.PatchAsync($"/v1/programs/{program}", other, version: 2, status: 503))
            );
        });
    }

    private async Task RepeatAsync(string path, Func<string, object> at)
    {
        var body = at(location);
        var key = Guid.CreateVersion7().ToString();
        using var first = await api.SendAsync(HttpMethod.Post, path, api.Key, body, key);
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);

        await WithoutMerchantAsync(async () =>
        {
            using var repeat = await api.SendAsync(HttpMethod.Post, path, api.Key, body, key);
            Assert.Equal(HttpStatusCode.Created, repeat.StatusCode);
            Assert.Equal("true", Assert.Single(repeat.Headers.GetValues("Idempotency-Replayed")));
            Assert.Equal(await first.Content.ReadAsStringAsync(), await repeat.Content.ReadAsStringAsync());
            using var other = await api.SendAsync(HttpMethod.Post, path, api.Key, at(unknown), null);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, other.StatusCode);
        });
    }

    /// <summary>With a service that remembers no location and no till, and finds none in the shared cache.</summary>
    private async Task WithoutMerchantAsync(Func<Task> act)
    {
        await api.RestartAsync();
        api.State.Flush();
        api.Sidecar.OnInvoke("merchant", "internal/locations/*", _ => Task.FromResult(Results.StatusCode(500)));
        api.Sidecar.OnInvoke("merchant", "internal/terminals/*", _ => Task.FromResult(Results.StatusCode(500)));
        try
        {
            await act();
        }
        finally
        {
            api.MerchantAnswers();
        }
    }
}
