using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Servers;
using LocalPlus.Sidecar.Valkey;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public async Task A_message_is_tried_again_until_the_application_takes_it()
    {
        var attempts = 0;
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            http =>
            {
                http.Response.StatusCode =
                    http.Request.Path == "/orders" && Interlocked.Increment(ref attempts) < 3 ? 500 : 200;
                return Task.CompletedTask;
            }
        );
        await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = 1 });

        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /orders") == 3);
        Assert.Equal(0, sidecar.Count("POST /dead"));
    }

    [Fact]
    public async Task A_message_that_is_refused_to_the_end_becomes_a_dead_letter()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            http =>
            {
                http.Response.StatusCode = http.Request.Path == "/orders" ? 500 : 200;
                return Task.CompletedTask;
            }
        );
        await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = 1 });

        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /dead") == 1);
        Assert.Equal(3, sidecar.Count("POST /orders"));
    }

    [Fact]
    public async Task An_entry_that_keeps_failing_holds_its_topic_until_its_repeats_are_over()
    {
        await using var server = await ValkeyServer.StartAsync(new() { IsDurable = true });
        var seen = new ConcurrentQueue<string>();
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Bulk(server.Port),
            async http =>
            {
                if (http.Request.Path != "/orders")
                {
                    return;
                }
                var batch = await http.Request.ReadFromJsonAsync<JsonElement>();
                var entries = batch
                    .GetProperty("entries")
                    .EnumerateArray()
                    .Select(e =>
                        (
                            Id: e.GetProperty("entryId").GetString(),
                            Order: e.GetProperty("event").GetProperty("data").GetString()!
                        )
                    )
                    .ToList();
                entries.ForEach(e => seen.Enqueue(e.Order));
                await http.Response.WriteAsJsonAsync(
                    new
                    {
                        statuses = entries.Select(e => new
                        {
                            entryId = e.Id,
                            status = e.Order == "bad" ? "RETRY" : "SUCCESS",
                        }),
                    }
                );
            }
        );
        await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", "bad");
        await SidecarUnderTest.UntilAsync(() => !seen.IsEmpty);
        await sidecar.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", "good");

        await SidecarUnderTest.UntilAsync(() => seen.Contains("good") && sidecar.Count("POST /dead") == 1);
        Assert.Equal(["bad", "bad", "bad", "good"], seen);
    }

    [Fact]
    public async Task What_a_dead_consumer_left_pending_is_delivered()
    {
        await using var server = await ValkeyServer.StartAsync(new() { IsDurable = true });
        await using var client = Connect(server);
        await client.ExecuteAsync("XGROUP", "CREATE", "orders", "under-test", "0", "MKSTREAM");
        await client.ExecuteAsync("XADD", "orders", "*", "data", """{"id":"1","data":{"n":1}}""", "metadata", "{}");
        await client.ExecuteAsync("XREADGROUP", "GROUP", "under-test", "killed", "STREAMS", "orders", ">");

        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Valkey(server.Port), _ => Task.CompletedTask);

        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /orders") == 1);
    }

    [Fact]
    public async Task A_full_broker_still_gives_what_it_has_to_whom_it_knows()
    {
        await using var server = await ValkeyServer.StartAsync(new() { IsDurable = true });
        await using var client = Connect(server);
        await client.ExecuteAsync("XGROUP", "CREATE", "orders", "under-test", "0", "MKSTREAM");
        await client.ExecuteAsync("XGROUP", "CREATE", "dead", "under-test", "0", "MKSTREAM");
        await client.ExecuteAsync("XADD", "orders", "*", "data", """{"id":"1","data":{"n":1}}""", "metadata", "{}");
        await client.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        var refusal = await Assert.ThrowsAsync<ValkeyException>(async () =>
            await client.ExecuteAsync("XGROUP", "CREATE", "orders", "under-test", "0")
        );
        Assert.StartsWith("OOM", refusal.Message, StringComparison.Ordinal);

        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Valkey(server.Port), _ => Task.CompletedTask);

        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /orders") == 1);
    }

    private static ValkeyClient Connect(ValkeyServer server) =>
        new(new ValkeySettings("127.0.0.1", server.Port, null, null, 0, Tls: false));
}
