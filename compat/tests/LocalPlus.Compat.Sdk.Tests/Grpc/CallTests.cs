using System.Diagnostics;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

public sealed class CallTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private EchoHost host = null!;

    public async Task InitializeAsync() => host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_unary_call_brings_its_answer_status_and_trailers()
    {
        using var call = host.Client.SayAsync(new Words { Text = "hello" });

        Assert.Equal("hello", (await call).Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal("5", call.GetTrailers().GetValue("said"));
        Assert.Equal("hello", host.Client.Say(new Words { Text = "hello" }).Text);
    }

    [Fact]
    public async Task An_empty_message_is_a_message()
    {
        Assert.Equal(new Words(), await host.Client.SayAsync(new Words()));
    }

    [Fact]
    public async Task A_refusal_keeps_code_detail_and_trailers()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.SayAsync(new Words { Text = "refuse" }));

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Equal("zu wenig: 30 € > 20 % 💶\n", refused.Status.Detail);
        Assert.Equal("balance", refused.Trailers.GetValue("why"));
        Assert.Equal([0, 255, 7], refused.Trailers.GetValueBytes("proof-bin"));
    }

    [Fact]
    public async Task An_unexpected_exception_is_unknown_and_tells_nothing()
    {
        var failed = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.SayAsync(new Words { Text = "break" }));

        Assert.Equal(StatusCode.Unknown, failed.StatusCode);
        Assert.Equal("Exception was thrown by handler.", failed.Status.Detail);
    }

    [Fact]
    public async Task A_status_set_beside_an_answer_wins()
    {
        var failed = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.SayAsync(new Words { Text = "status" }));

        Assert.Equal(StatusCode.NotFound, failed.StatusCode);
    }

    [Fact]
    public async Task Metadata_travels_both_ways_text_and_binary()
    {
        var headers = new Metadata { { "Who", "me" }, { "raw-bin", [9, 8, 7, 0] }, { "twice", "a" }, { "twice", "b" } };
        using var call = host.Client.SayAsync(new Words { Text = "headers" }, headers);
        var early = await call.ResponseHeadersAsync;
        await call;

        Assert.Equal("yes", early.GetValue("early"));
        Assert.Equal([1, 2], early.GetValueBytes("raw-bin"));
        Assert.Equal("me", host.Log.Headers.GetValue("who"));
        Assert.Equal([9, 8, 7, 0], host.Log.Headers.GetValueBytes("raw-bin"));
        Assert.Equal(["a", "b"], host.Log.Headers.GetAll("twice").SelectMany(e => e.Value.Split(", ")));
        Assert.DoesNotContain(host.Log.Headers, e => e.Key is "te" or "content-type" || e.Key.StartsWith(':'));
    }

    [Fact]
    public async Task A_deadline_reaches_the_server_and_ends_the_call()
    {
        var deadline = DateTime.UtcNow.AddMilliseconds(300);
        var late = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client.SayAsync(new Words { Text = "wait" }, deadline: deadline));

        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        Assert.InRange(host.Log.Deadline, deadline.AddSeconds(-1), deadline.AddSeconds(1));
        await host.Log.Ended.Task.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_deadline_that_has_passed_sends_nothing()
    {
        var late = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client.SayAsync(new Words { Text = "x" }, deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        Assert.Empty(host.Log.Headers);
    }

    [Fact]
    public async Task Cancelling_ends_the_call_on_both_sides()
    {
        using var cancel = new CancellationTokenSource();
        var call = host.Client.SayAsync(new Words { Text = "wait" }, cancellationToken: cancel.Token).ResponseAsync;
        await host.Log.Waiting.Task;
        await cancel.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
        await host.Log.Ended.Task.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Cancelling_throws_OperationCanceledException_when_the_channel_says_so()
    {
        using var channel = GrpcChannel.ForAddress(host.Address, new() { ThrowOperationCanceledOnCancellation = true });
        using var cancel = new CancellationTokenSource();
        var call = new Echo.EchoClient(channel).SayAsync(new Words { Text = "wait" }, cancellationToken: cancel.Token);
        await host.Log.Waiting.Task;
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await call);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        var failed = await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).SayAsync(new Words()));

        Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
    }

    [Fact]
    public async Task Messages_above_the_limit_are_refused_by_the_receiver()
    {
        var large = new Words { Ballast = ByteString.CopyFrom(new byte[5 * MiB]) };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.SayAsync(large));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);

        await using var roomy = await EchoHost.StartAsync(server => server.MaxReceiveMessageSize = 8 * MiB);
        refused = await Assert.ThrowsAsync<RpcException>(async () => await roomy.Client.SayAsync(large));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);

        using var channel = GrpcChannel.ForAddress(roomy.Address, new() { MaxReceiveMessageSize = 8 * MiB });
        Assert.Equal(large, await new Echo.EchoClient(channel).SayAsync(large));
    }

    [Fact]
    public async Task A_message_just_below_the_limit_passes()
    {
        var large = new Words { Ballast = ByteString.CopyFrom(new byte[4 * MiB - 100]) };

        Assert.Equal(large, await host.Client.SayAsync(large));
    }

    [Fact]
    public async Task Unknown_methods_and_services_are_unimplemented_unless_left_to_other_endpoints()
    {
        using var http = new HttpClient();
        async Task<HttpResponseMessage> PostAsync(EchoHost to, string path, string contentType)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, to.Address + path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent([0, 0, 0, 0, 0]) { Headers = { { "content-type", contentType } } },
            };
            return await http.SendAsync(request);
        }

        foreach (var path in new[] { "/localplus.compat.tests.v1.Echo/Shout", "/other.Service/Say" })
        {
            using var answer = await PostAsync(host, path, "application/grpc");
            Assert.Equal("12", answer.Headers.GetValues("grpc-status").Single());
        }

        using var plain = await PostAsync(host, "/v1/other", "application/json");
        Assert.Equal("caught /v1/other", await plain.Content.ReadAsStringAsync());
        await using var open = await EchoHost.StartAsync(server => server.IgnoreUnknownServices = true);
        using var caught = await PostAsync(open, "/other.Service/Say", "application/grpc");
        Assert.Equal("caught /other.Service/Say", await caught.Content.ReadAsStringAsync());
        using var wrong = await PostAsync(host, "/localplus.compat.tests.v1.Echo/Say", "application/json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, wrong.StatusCode);
    }

    [Fact]
    public async Task Many_calls_at_once_use_more_streams_than_one_connection_has()
    {
        var calls = Enumerable.Range(0, 500).Select(i => host.Client.SayAsync(new Words { Times = i }).ResponseAsync);

        Assert.Equal(Enumerable.Range(0, 500), (await Task.WhenAll(calls)).Select(words => words.Times));
    }

    [Fact]
    public async Task The_trace_goes_with_the_call()
    {
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        await host.Client.SayAsync(new Words());

        Assert.Contains(activity.TraceId.ToString(), host.Log.Headers.GetValue("traceparent"), StringComparison.Ordinal);
    }
}
