using System.Collections.Concurrent;
using System.Text.Json;
using Dapr;
using Dapr.Client;
using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Http;
using Official = Dapr.Client.Autogen.Grpc.v1;
using StateOptions = Dapr.Client.StateOptions;
using TopicStatus = Dapr.AppCallback.Autogen.Grpc.v1.TopicEventResponse.Types.TopicEventResponseStatus;

namespace LocalPlus.Sidecar.Tests;

/// <summary>The official .NET client as the sidecar's peer.</summary>
public sealed class OfficialClientTests
{
    private static DaprClient Client(SidecarUnderTest sidecar, string token = "") =>
        new DaprClientBuilder()
            .UseGrpcEndpoint(sidecar.GrpcAddress)
            .UseHttpEndpoint(sidecar.Http.BaseAddress!.ToString().TrimEnd('/'))
            .UseDaprApiToken(token)
            .Build();

    [Fact]
    public async Task State_is_saved_read_and_guarded_by_its_etag()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);
        using var client = Client(sidecar);
        Assert.Equal((0, ""), await client.GetStateAndETagAsync<int>("store", "k"));
        await client.SaveStateAsync("store", "k", 7, new StateOptions { Concurrency = ConcurrencyMode.FirstWrite });
        var (value, etag) = await client.GetStateAndETagAsync<int>("store", "k", ConsistencyMode.Strong);

        Assert.Equal(7, value);
        Assert.True(await client.TrySaveStateAsync("store", "k", 8, etag));
        Assert.False(await client.TrySaveStateAsync("store", "k", 9, etag));
        var bulk = await client.GetBulkStateAsync<int>("store", ["k", "absent"], 4);
        Assert.Equal([("absent", 0), ("k", 8)], bulk.Select(item => (item.Key, item.Value)).Order());
        await client.ExecuteStateTransactionAsync(
            "store",
            [
                new StateTransactionRequest("a", "1"u8.ToArray(), StateOperationType.Upsert),
                new StateTransactionRequest("k", null, StateOperationType.Delete),
            ]
        );
        Assert.Equal(
            (1, 0),
            (await client.GetStateAsync<int>("store", "a"), await client.GetStateAsync<int>("store", "k"))
        );
    }

    [Fact]
    public async Task Events_arrive_as_they_were_published_one_by_one_and_in_bulk()
    {
        var seen = new ConcurrentQueue<JsonElement>();
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            async http =>
            {
                if (http.Request.Path == "/orders")
                {
                    seen.Enqueue(await http.Request.ReadFromJsonAsync<JsonElement>());
                }
            }
        );
        using var client = Client(sidecar);
        await client.PublishEventAsync("pubsub", "orders", new { OrderId = 1 });
        await client.PublishEventAsync(
            "pubsub",
            "orders",
            new CloudEvent<int>(5) { Type = "x.y", Source = new Uri("urn:me") }
        );
        var bulk = await client.BulkPublishEventAsync("pubsub", "orders", ["a", "b"]);
        await SidecarUnderTest.UntilAsync(() => seen.Count == 4);

        Assert.Empty(bulk.FailedEntries);
        var data = seen.Select(one => one.GetProperty("data").GetRawText()).ToList();
        Assert.Equal(["\"a\"", "\"b\"", "5", """{"orderId":1}"""], data.Order(StringComparer.Ordinal));
        Assert.Contains("x.y", seen.Select(one => one.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task A_stream_gets_a_topics_events_again_until_it_takes_them()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Events);
        using var channel = GrpcChannel.ForAddress(sidecar.GrpcAddress);
        var dapr = new Official.Dapr.DaprClient(channel);
        using var stream = dapr.SubscribeTopicEventsAlpha1();
        await stream.RequestStream.WriteAsync(
            new()
            {
                InitialRequest = new() { PubsubName = "pubsub", Topic = "streamed" },
            }
        );
        Assert.True(await stream.ResponseStream.MoveNext());
        await dapr.PublishEventAsync(
            new()
            {
                PubsubName = "pubsub",
                Topic = "streamed",
                Data = Google.Protobuf.ByteString.CopyFromUtf8("1"),
            }
        );
        var ids = new List<string>();
        foreach (var status in (TopicStatus[])[TopicStatus.Retry, TopicStatus.Success])
        {
            Assert.True(await stream.ResponseStream.MoveNext());
            ids.Add(stream.ResponseStream.Current.EventMessage.Id);
            await stream.RequestStream.WriteAsync(
                new()
                {
                    EventProcessed = new()
                    {
                        Id = ids[^1],
                        Status = new() { Status = status },
                    },
                }
            );
        }

        Assert.Single(ids.Distinct());
        await stream.RequestStream.CompleteAsync();
        await SidecarUnderTest.UntilAsync(() => sidecar.Runtime.Subscriptions.All.All(s => s.Topic != "streamed"));
    }

    [Fact]
    public async Task Invocation_keeps_path_query_and_answer_and_every_call_needs_the_token()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            http => http.Response.WriteAsync($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}"),
            o => o.ApiToken = "token"
        );
        using var http = DaprClient.CreateInvokeHttpClient("under-test", sidecar.Http.BaseAddress!.ToString(), "token");
        using var client = Client(sidecar, "token");
        using var stranger = Client(sidecar);

        Assert.Equal(
            "GET /internal/x?a=b%20c",
            await http.GetStringAsync(new Uri("/internal/x?a=b%20c", UriKind.Relative))
        );
        Assert.True(await client.CheckHealthAsync());
        Assert.Equal("under-test", (await client.GetMetadataAsync()).Id);
        var refused = await Assert.ThrowsAsync<DaprException>(() => stranger.GetMetadataAsync());
        Assert.Equal(StatusCode.Unauthenticated, Assert.IsType<RpcException>(refused.InnerException).StatusCode);
    }

    [Fact]
    public async Task What_the_stand_in_lacks_is_unimplemented()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);
        using var channel = GrpcChannel.ForAddress(sidecar.GrpcAddress);

        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            new Official.Dapr.DaprClient(channel)
                .RegisterActorTimerAsync(new Official.RegisterActorTimerRequest())
                .ResponseAsync
        );

        Assert.Equal(StatusCode.Unimplemented, refused.StatusCode);
    }

    [Fact]
    public async Task What_it_did_is_counted_on_its_metrics_page()
    {
        var port = FreePort.Next();
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Events,
            _ => Task.CompletedTask,
            o => o.MetricsPort = port
        );
        using var client = Client(sidecar);
        await client.BulkPublishEventAsync("pubsub", "orders", ["a", "b"]);
        await SidecarUnderTest.UntilAsync(() => sidecar.Count("POST /orders") == 2);

        var page = await sidecar.Http.GetStringAsync($"http://127.0.0.1:{port}/metrics");

        Assert.Contains(
            "dapr_component_pubsub_egress_count{app_id=\"under-test\",namespace=\"default\",component=\"pubsub\",topic=\"orders\"} 2\n",
            page,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "dapr_component_pubsub_ingress_count{app_id=\"under-test\",namespace=\"default\",component=\"pubsub\",topic=\"orders\"} 2\n",
            page,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_binding_of_local_storage_writes_reads_and_deletes_files_below_its_root_alone()
    {
        var root = Directory.CreateTempSubdirectory("localplus-storage-").FullName;
        try
        {
            await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Storage(root));
            using var client = Client(sidecar);
            var named = new Dictionary<string, string> { ["fileName"] = "a/b.txt", ["toNumber"] = "+1" };
            await client.InvokeBindingAsync(Request("create", "hello", named));
            await client.InvokeBindingAsync(Request("create", "nameless", []));

            Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(root, "a", "b.txt")));
            Assert.Equal("nameless", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(root))));
            Assert.Equal(
                "hello"u8.ToArray(),
                (await client.InvokeBindingAsync(Request("get", "", named))).Data.ToArray()
            );
            await client.InvokeBindingAsync(Request("delete", "", named));
            Assert.False(File.Exists(Path.Combine(root, "a", "b.txt")));
            foreach (
                var (operation, name) in new[] { ("create", "../x"), ("get", "absent"), ("get", ""), ("list", "a") }
            )
            {
                await Assert.ThrowsAsync<DaprException>(() =>
                    client.InvokeBindingAsync(Request(operation, "", new() { ["fileName"] = name }))
                );
            }

            Assert.False(File.Exists(Path.Combine(root, "..", "x")));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        static BindingRequest Request(string operation, string text, Dictionary<string, string> metadata)
        {
            var request = new BindingRequest("files", operation) { Data = System.Text.Encoding.UTF8.GetBytes(text) };
            foreach (var (name, value) in metadata)
            {
                request.Metadata[name] = value;
            }

            return request;
        }
    }
}
