using System.Net;
using LocalPlus.Analytics;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Identity;

public sealed class SidecarTokenTests : IAsyncLifetime
{
    private const string Report = "/v1/reports/daily?from=2026-03-10&to=2026-03-10";
    private const string Token = "sidecar-token";
    private TestDatabase database = null!;
    private StubSidecar sidecar = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("analytics", typeof(AnalyticsRollup).Assembly);
        sidecar = await StubSidecar.StartAsync(Token);
    }

    public async Task DisposeAsync()
    {
        await sidecar.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Fault_13_a_call_to_a_peer_carries_the_sidecars_token()
    {
        await using var service = await StartAsync(Token);
        var key = sidecar.IssueKey(MerchantId.New(TimeProvider.System), "reports:read");

        await service.CallAsync(HttpMethod.Get, Report, key);
    }

    [Fact]
    public async Task Fault_14_only_what_has_the_form_of_a_key_reaches_merchant()
    {
        await using var service = await StartAsync(Token);
        var asked = sidecar.AskedKeys.Count;

        foreach (var text in new[] { "lp_test_", "lp_live_nobody", $"lp_test_{new string('s', 500)}" })
        {
            await service.CallAsync(HttpMethod.Get, Report, text, status: 401);
        }

        Assert.Equal(asked, sidecar.AskedKeys.Count);
        await service.CallAsync(
            HttpMethod.Get,
            Report,
            $"lp_test_{new string('0', 26)}{new string('s', 32)}",
            status: 401
        );
        Assert.Equal(asked + 1, sidecar.AskedKeys.Count);
    }

    [Fact]
    public async Task Fault_20_ready_means_that_sidecar_and_merchant_have_answered()
    {
        sidecar.InMerchantsPlace = () => Results.StatusCode(500);
        var starting = StartAsync(Token);
        await Eventually.TrueAsync(() => !sidecar.AskedKeys.IsEmpty);
        Assert.False(starting.IsCompleted);

        sidecar.InMerchantsPlace = null;
        await using var service = await starting;

        // Ready once, it serves the very first request, and does not go away with merchant.
        var key = sidecar.IssueKey(MerchantId.New(TimeProvider.System), "reports:read");
        await service.CallAsync(HttpMethod.Get, Report, key);
        sidecar.InMerchantsPlace = () => Results.StatusCode(500);
        using var ready = await service.Public.GetAsync(new Uri("/readyz", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        await service.CallAsync(HttpMethod.Get, Report, key);
    }

    private Task<ServiceProcess> StartAsync(string token) =>
        ServiceProcess.StartAsync(
            typeof(AnalyticsRollup).Assembly.Location,
            database,
            sidecar.Port,
            settings: ("DAPR_API_TOKEN", token)
        );
}
