using System.Diagnostics;
using System.Text;
using Dapr;
using Dapr.Client;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;
using Xunit;
using StateOptions = Dapr.Client.StateOptions;

namespace LocalPlus.Compat.Sdk.Tests.Dapr;

public sealed class DaprClientTests : IAsyncLifetime
{
    private FakeSidecar sidecar = null!;
    private DaprClient client = null!;

    public async Task InitializeAsync()
    {
        sidecar = await FakeSidecar.StartAsync();
        client = new DaprClientBuilder()
            .UseGrpcEndpoint(sidecar.GrpcEndpoint).UseHttpEndpoint(sidecar.HttpEndpoint).UseDaprApiToken("token").Build();
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await sidecar.DisposeAsync();
    }

    [Fact]
    public async Task Events_are_published_as_JSON_or_as_the_envelope_they_bring()
    {
        await client.PublishEventAsync("pubsub", "t", new { OrderId = 1 }, new Dictionary<string, string> { ["partitionKey"] = "k" });
        var plain = sidecar.Last<PublishEventRequest>();
        Assert.Equal(("{\"orderId\":1}", "application/json", "k"), (plain.Data.ToStringUtf8(), plain.DataContentType, plain.Metadata["partitionKey"]));

        await client.PublishEventAsync("pubsub", "t", new CloudEvent<int>(5) { Type = "x.y", Source = new Uri("urn:me") });
        var own = sidecar.Last<PublishEventRequest>();
        Assert.Equal("application/cloudevents+json", own.DataContentType);
        Assert.Contains("\"data\":5", own.Data.ToStringUtf8(), StringComparison.Ordinal);
        Assert.Contains("\"type\":\"x.y\"", own.Data.ToStringUtf8(), StringComparison.Ordinal);

        await client.PublishByteEventAsync("pubsub", "t", Encoding.UTF8.GetBytes("raw"), "text/plain");
        Assert.Equal("text/plain", sidecar.Last<PublishEventRequest>().DataContentType);
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.PublishEventAsync<string>("pubsub", "t", null!));
        await Assert.ThrowsAsync<ArgumentException>(() => client.PublishEventAsync("", "t", 1));
    }

    [Fact]
    public async Task A_bulk_publish_names_the_entries_that_failed()
    {
        var response = await client.BulkPublishEventAsync("pubsub", "t", ["a", "b"], new Dictionary<string, string> { ["m"] = "1" });

        var request = sidecar.Last<BulkPublishRequest>();
        Assert.Equal(["\"a\"", "\"b\""], request.Entries.Select(e => e.Event.ToStringUtf8()));
        Assert.Equal(2, request.Entries.Select(e => e.EntryId).Distinct().Count());
        Assert.Equal("1", request.Metadata["m"]);
        Assert.Equal(("b", "too late"), (response.FailedEntries.Single().Entry.EventData, response.FailedEntries.Single().ErrorMessage));
    }

    [Fact]
    public async Task State_is_saved_read_and_guarded_by_its_ETag()
    {
        Assert.Equal((0, ""), await client.GetStateAndETagAsync<int>("store", "k"));
        await client.SaveStateAsync("store", "k", 7, new StateOptions { Concurrency = ConcurrencyMode.FirstWrite }, new Dictionary<string, string> { ["ttlInSeconds"] = "5" });
        Assert.Equal("5", sidecar.Last<SaveStateRequest>().States.Single().Metadata["ttlInSeconds"]);
        Assert.Equal((7, "1"), await client.GetStateAndETagAsync<int>("store", "k", ConsistencyMode.Strong));
        Assert.True(await client.TrySaveStateAsync("store", "k", 8, "1"));
        Assert.False(await client.TrySaveStateAsync("store", "k", 9, "1"));

        var entry = await client.GetStateEntryAsync<int>("store", "k");
        entry.Value++;
        Assert.True(await entry.TrySaveAsync());
        Assert.False(await entry.TryDeleteAsync());
        Assert.Equal("9", Encoding.UTF8.GetString((await client.GetByteStateAsync("store", "k")).Span));
        var bulk = await client.GetBulkStateAsync<int>("store", ["k", "absent"], 4);
        Assert.Equal([("k", 9), ("absent", 0)], bulk.Select(item => (item.Key, item.Value)));
        await client.DeleteStateAsync("store", "k");
        Assert.Equal(0, await client.GetStateAsync<int>("store", "k"));
    }

    [Fact]
    public async Task A_transaction_keeps_the_order_of_its_operations()
    {
        await client.ExecuteStateTransactionAsync("store",
        [
            new StateTransactionRequest("a", "1"u8.ToArray(), StateOperationType.Upsert, "3"),
            new StateTransactionRequest("b", null, StateOperationType.Delete),
        ]);

        var request = sidecar.Last<ExecuteStateTransactionRequest>();
        Assert.Equal([("upsert", "a"), ("delete", "b")], request.Operations.Select(o => (o.OperationType, o.Request.Key)));
        Assert.Equal(("3", true), (request.Operations[0].Request.Etag.Value, request.Operations[1].Request.Etag is null));
        await Assert.ThrowsAsync<ArgumentException>(() => client.ExecuteStateTransactionAsync("store", []));
    }

    [Fact]
    public async Task Secrets_bindings_configuration_locks_and_metadata()
    {
        Assert.Equal("me", (await client.GetSecretAsync("secrets", "db"))["user"]);
        Assert.Equal("me", (await client.GetBulkSecretAsync("secrets"))["db"]["user"]);
        Assert.Equal(3, await client.InvokeBindingAsync<int, int>("smtp", "create", 3));
        var binding = await client.InvokeBindingAsync(new BindingRequest("smtp", "create") { Data = "x"u8.ToArray(), Metadata = { ["to"] = "you" } });
        Assert.Equal(("yes", "you"), (binding.Metadata["sent"], sidecar.Last<InvokeBindingRequest>().Metadata["to"]));
        Assert.Equal(("v", "7"), ((await client.GetConfiguration("c", ["k"])).Items["k"].Value, (await client.GetConfiguration("c", ["k"])).Items["k"].Version));

        var subscription = await client.SubscribeConfiguration("c", ["k"]);
        await foreach (var items in subscription.Source)
        {
            Assert.Equal("w", items["k"].Value);
        }

        Assert.Equal("s1", subscription.Id);
        var metadata = await client.GetMetadataAsync();
        Assert.Equal(("app", "state.redis"), (metadata.Id, metadata.Components.Single().Type));
#pragma warning disable DAPR_DISTRIBUTEDLOCK
        await using (var taken = await client.Lock("locks", "thing", "me", 5))
        {
            Assert.True(taken.Success);
        }

        Assert.Equal("thing", sidecar.Last<UnlockRequest>().ResourceId);
        Assert.Equal(LockStatus.LockBelongsToOthers, (await client.Unlock("locks", "thing", "me")).status);
#pragma warning restore DAPR_DISTRIBUTEDLOCK
    }

    [Fact]
    public async Task Every_call_carries_the_token_and_the_trace()
    {
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        activity.TraceStateString = "a=b";
        await client.GetSecretAsync("secrets", "db");

        Assert.Equal("token", sidecar.Headers.GetValue("dapr-api-token"));
        Assert.Equal(activity.Id, sidecar.Headers.GetValue("traceparent"));
        Assert.Equal("a=b", sidecar.Headers.GetValue("tracestate"));
        Assert.Equal(Convert.FromHexString(activity.TraceId.ToHexString()), sidecar.Headers.GetValueBytes("grpc-trace-bin")![2..18]);
    }

    [Fact]
    public async Task Refusals_and_unreadable_payloads_are_Dapr_exceptions_and_cancelling_is_not()
    {
        await client.SaveStateAsync("store", "text", "no number");
        var unreadable = await Assert.ThrowsAsync<DaprException>(() => client.GetStateAsync<int>("store", "text"));
        Assert.IsType<System.Text.Json.JsonException>(unreadable.InnerException);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetSecretAsync("s", "k", cancellationToken: cancelled.Token));

        sidecar.Refusal = new RpcException(new Status(StatusCode.Internal, "secret k not found"));
        var refused = await Assert.ThrowsAsync<DaprException>(() => client.GetSecretAsync("s", "k"));
        Assert.Equal(StatusCode.Internal, Assert.IsType<RpcException>(refused.InnerException).StatusCode);
    }

    [Fact]
    public async Task Health_is_false_when_the_sidecar_says_so_or_is_not_there()
    {
        Assert.True(await client.CheckHealthAsync());
        sidecar.Healthy = false;
        Assert.False(await client.CheckOutboundHealthAsync());
        var waiting = client.WaitForSidecarAsync();
        sidecar.Healthy = true;
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        using var nobody = new DaprClientBuilder().UseHttpEndpoint("http://127.0.0.1:1").Build();
        Assert.False(await nobody.CheckHealthAsync());
        Assert.Throws<InvalidOperationException>(() => new DaprClientBuilder().UseHttpEndpoint("ftp://x").Build());
    }

    [Fact]
    public async Task HTTP_invocation_goes_through_the_sidecar_and_keeps_path_query_and_case()
    {
        using var byName = DaprClient.CreateInvokeHttpClient("Merchant", sidecar.HttpEndpoint, "token");
        Assert.Equal("GET /v1.0/invoke/Merchant/method/internal/x?a=b%20c token ", await byName.GetStringAsync(new Uri("/internal/x?a=b%20c", UriKind.Relative)));
        using var anyApp = client.CreateInvokableHttpClient();
        Assert.Equal("GET /v1.0/invoke/wallet/method/y token ", await anyApp.GetStringAsync(new Uri("http://wallet/y")));

        using var request = client.CreateInvokeMethodRequest(HttpMethod.Put, "wallet", "/y", [new("q", "1 2")], new { A = 1 });
        using var plain = new HttpClient();
        using var response = await plain.SendAsync(request);
        Assert.Equal("PUT /v1.0/invoke/wallet/method/y?q=1%202 token {\"a\":1}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task GRPC_invocation_names_the_application()
    {
        var echo = new Echo.EchoClient(DaprClient.CreateInvocationInvoker("ledger", sidecar.GrpcEndpoint, "token"));
        await echo.SayAsync(new Words { Text = "x" }, new Metadata { { "own", "1" } });

        var seen = sidecar.Echoed.Headers;
        Assert.Equal(("ledger", "token", "1"), (seen.GetValue("dapr-app-id"), seen.GetValue("dapr-api-token"), seen.GetValue("own")));
    }
}
