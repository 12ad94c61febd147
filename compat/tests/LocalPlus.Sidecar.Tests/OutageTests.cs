using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

/// <summary>Valkey or PostgreSQL goes away and comes back.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task State_calls_fail_clearly_while_Valkey_is_away_and_work_again_once_it_is_back()
    {
        await using var valkey = await ValkeyServer.StartAsync(new() { IsDurable = true });
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.State(valkey.Port));
        await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "k", value = 1 } });

        await valkey.KillAsync();
        var away = await sidecar.Http.GetAsync("/v1.0/state/store/k");
        var error = await away.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(HttpStatusCode.InternalServerError, away.StatusCode);
        Assert.Equal("ERR_STATE_GET", error.GetProperty("errorCode").GetString());
        Assert.StartsWith(
            "fail to get k from state store store: ",
            error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
        await valkey.StartAgainAsync();
        await SidecarUnderTest.UntilAsync(async () =>
            (await sidecar.Http.GetAsync("/v1.0/state/store/k")).StatusCode == HttpStatusCode.OK
        );
    }

    [Fact]
    public async Task State_calls_fail_clearly_while_PostgreSQL_is_away_and_find_everything_once_it_is_back()
    {
        await using var postgres = await PostgresServer.StartAsync(new() { IsDurable = true });
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Postgres(postgres.LibpqString));
        await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "k", value = 1 } });

        await postgres.KillAsync();
        var away = await sidecar.Http.PostAsJsonAsync("/v1.0/state/store", new[] { new { key = "k", value = 2 } });

        Assert.Equal(HttpStatusCode.InternalServerError, away.StatusCode);
        Assert.Contains("ERR_STATE_SAVE", await away.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await postgres.StartAgainAsync();
        await SidecarUnderTest.UntilAsync(async () =>
            (await sidecar.Http.GetAsync("/v1.0/state/store/k")).StatusCode == HttpStatusCode.OK
        );
        Assert.Equal("1", await sidecar.Http.GetStringAsync("/v1.0/state/store/k"));
    }

    [Fact]
    public async Task No_message_is_lost_when_Valkey_dies_in_the_middle_of_deliveries()
    {
        const int Messages = 30;
        await using var valkey = await ValkeyServer.StartAsync(new() { IsDurable = true });
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = new ConcurrentDictionary<int, int>();
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Valkey(valkey.Port),
            async http =>
            {
                if (http.Request.Path == "/orders")
                {
                    var order = await http.Request.ReadFromJsonAsync<JsonElement>();
                    await gate.Task;
                    seen.AddOrUpdate(order.GetProperty("data").GetProperty("n").GetInt32(), 1, (_, count) => count + 1);
                }
            }
        );
        for (var n = 0; n < Messages; n++)
        {
            Assert.Equal(
                HttpStatusCode.NoContent,
                (await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n })).StatusCode
            );
        }
        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /orders") > 0);

        await valkey.KillAsync();
        gate.SetResult();
        var refused = await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = Messages });
        await valkey.StartAgainAsync();

        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        await SidecarUnderTest.UntilAsync(() => seen.Keys.Count(n => n < Messages) == Messages);
    }
}
