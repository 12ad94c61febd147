using System.Net.Http.Json;
using LocalPlus.Sidecar.Runtime;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

/// <summary>Applications whose sidecars share a process do not feel each other.</summary>
public sealed class IsolationTests
{
    private const int Hanging = 200;

    [Fact]
    public async Task An_application_that_hangs_holds_up_no_other()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = new SidecarHost();
        await using var slow = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            http => http.Request.Path == "/dapr/config" ? Task.CompletedTask : release.Task,
            o => (o.AppId, o.DisabledInitEndpoints) = ("slow", ["subscribe"]),
            host
        );
        await using var quick = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            http => http.Response.WriteAsync("ok"),
            host: host
        );
        var calls = Enumerable
            .Range(0, Hanging)
            .Select(_ => quick.Http.GetAsync("/v1.0/invoke/slow/method/hang"))
            .ToList();
        await slow.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = 1 });
        await SidecarUnderTest.UntilAsync(() => slow.Count("GET /hang") == Hanging && slow.Count("POST /orders") == 1);

        Assert.Equal("ok", await quick.Http.GetStringAsync("/v1.0/invoke/under-test/method/fine"));
        await quick.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = 1 });
        await SidecarUnderTest.UntilAsync(() => quick.Count("POST /orders") == 1);

        Assert.DoesNotContain(calls, c => c.IsCompleted);
        release.SetResult();
        await Task.WhenAll(calls);
    }

    [Fact]
    public async Task An_application_that_is_away_costs_its_callers_an_error_and_nobody_else_anything()
    {
        var host = new SidecarHost();
        await using var away = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            configure: o => o.AppId = "away",
            host: host
        );
        await using var quick = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            http => http.Response.WriteAsync("ok"),
            host: host
        );

        var failed = await quick.Http.GetAsync("/v1.0/invoke/away/method/x");

        Assert.Equal(System.Net.HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Contains("ERR_DIRECT_INVOKE", await failed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("ok", await quick.Http.GetStringAsync("/v1.0/invoke/under-test/method/fine"));
    }
}
