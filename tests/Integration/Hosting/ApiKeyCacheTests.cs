using System.Net;
using System.Net.Http.Headers;
using LocalPlus.Tests.Integration.Analytics;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>What a service that asks merchant about API keys may remember of the answers (ADR 0010).</summary>
public sealed class ApiKeyCacheTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    [Fact]
    public async Task A_revoked_key_is_refused_as_soon_as_the_cache_has_ended()
    {
        var (_, key) = api.NewMerchant();
        await Eventually.TrueAsync(async () => await AskAsync(key) == HttpStatusCode.OK);

        api.Sidecar.RevokeKey(key);

        await Eventually.TrueAsync(async () => await AskAsync(key) == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task While_merchant_is_away_a_known_key_stays_good_and_nobody_judges_another()
    {
        var (_, known) = api.NewMerchant();
        var (_, unknown) = api.NewMerchant();
        await Eventually.TrueAsync(async () => await AskAsync(known) == HttpStatusCode.OK);
        api.Sidecar.MerchantUp = false;
        try
        {
            var asked = api.Sidecar.Verifications;
            await Eventually.TrueAsync(async () =>
            {
                Assert.Equal(HttpStatusCode.OK, await AskAsync(known));
                return api.Sidecar.Verifications > asked;
            });

            Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(unknown));
        }
        finally
        {
            api.Sidecar.MerchantUp = true;
        }
    }

    private async Task<HttpStatusCode> AskAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/reports/daily?from=2026-03-10&to=2026-03-10");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await api.Service.Public.SendAsync(request);
        return answer.StatusCode;
    }
}
