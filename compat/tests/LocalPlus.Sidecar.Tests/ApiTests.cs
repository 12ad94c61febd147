using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Sidecar.Runtime;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

public sealed class ApiTests
{
    [Fact]
    public async Task A_stale_etag_is_a_conflict_and_changes_nothing()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);
        await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "k", value = 1 } });
        var first = await sidecar.Http.GetAsync("/v1.0/state/store/k");
        await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "k", value = 2 } });

        var stale = await sidecar.Http.PostAsJsonAsync(
            "/v1.0/state/store",
            new[]
            {
                new
                {
                    key = "k",
                    value = 3,
                    etag = first.Headers.NonValidated["ETag"].ToString(),
                },
            }
        );

        Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
        Assert.Equal("2", await sidecar.Http.GetStringAsync("/v1.0/state/store/k"));
    }

    [Fact]
    public async Task A_key_may_hold_an_encoded_slash_and_an_absent_one_is_204()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);
        await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "a/b", value = "x" } });

        Assert.Equal("\"x\"", await sidecar.Http.GetStringAsync("/v1.0/state/store/a%2Fb"));
        Assert.Equal(HttpStatusCode.NoContent, (await sidecar.Http.GetAsync("/v1.0/state/store/none")).StatusCode);
    }

    [Fact]
    public async Task Metadata_names_the_application_and_keeps_what_is_put_there()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);
        await sidecar.Http.PutAsync("/v1.0/metadata/cliPID", new StringContent("77"));

        var metadata = await sidecar.Http.GetFromJsonAsync<JsonElement>("/v1.0/metadata");

        Assert.Equal("under-test", metadata.GetProperty("id").GetString());
        Assert.Equal("77", metadata.GetProperty("extended").GetProperty("cliPID").GetString());
        Assert.Equal("store", metadata.GetProperty("components")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Without_the_api_token_only_health_answers()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory, configure: o => o.ApiToken = "secret");

        Assert.Equal(HttpStatusCode.Unauthorized, (await sidecar.Http.GetAsync("/v1.0/metadata")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await sidecar.Http.GetAsync("/v1.0/healthz")).StatusCode);
    }

    [Fact]
    public async Task An_application_gets_its_own_sidecars_token_and_hears_who_calls()
    {
        var host = new SidecarHost();
        await using var callee = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            http =>
                http.Response.WriteAsJsonAsync(
                    new
                    {
                        token = http.Request.Headers["dapr-api-token"].ToString(),
                        caller = http.Request.Headers["dapr-caller-app-id"].ToString(),
                    }
                ),
            o => (o.AppId, o.AppToken) = ("callee", "callee-token"),
            host
        );
        await using var caller = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            configure: o => o.AppToken = "caller-token",
            host: host
        );

        var answer = await caller.Http.GetFromJsonAsync<JsonElement>("/v1.0/invoke/callee/method/who");

        Assert.Equal("callee-token", answer.GetProperty("token").GetString());
        Assert.Equal("under-test", answer.GetProperty("caller").GetString());
    }

    [Fact]
    public async Task An_orderly_stop_ends_with_0_and_a_forced_one_with_1()
    {
        await using var orderly = await SidecarUnderTest.StartAsync(Yaml.Memory);
        await using var forced = await SidecarUnderTest.StartAsync(Yaml.Memory);

        Assert.Equal(0, await orderly.Runtime.StopAsync(force: false));
        Assert.Equal(1, await forced.Runtime.StopAsync(force: true));
    }
}
