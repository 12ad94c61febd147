using Grpc.Core;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

public sealed class StreamTests : IAsyncLifetime
{
    private EchoHost host = null!;

    public async Task InitializeAsync() => host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_server_stream_brings_all_messages_in_order_and_ends()
    {
        using var call = host.Client.Repeat(new Words { Text = "again", Times = 1000 });
        var seen = new List<int>();
        await foreach (var words in call.ResponseStream.ReadAllAsync())
        {
            seen.Add(words.Times);
        }

        Assert.Equal(Enumerable.Range(0, 1000), seen);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task A_server_stream_can_fail_after_some_messages_or_before_the_first()
    {
        foreach (var times in new[] { 2, 0 })
        {
            using var call = host.Client.Repeat(new Words { Text = "refuse", Times = times });
            for (var i = 0; i < times; i++)
            {
                Assert.True(await call.ResponseStream.MoveNext());
            }

            var failed = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
            Assert.Equal((StatusCode.Aborted, "enough"), (failed.StatusCode, failed.Status.Detail));
        }
    }

    [Fact]
    public async Task A_message_arrives_while_the_stream_stays_open_and_dispose_ends_it()
    {
        var call = host.Client.Repeat(new Words { Text = "wait", Times = 1 });
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();

        await host.Log.Ended.Task.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task The_reader_s_own_token_ends_the_call()
    {
        using var call = host.Client.Repeat(new Words { Text = "wait", Times = 1 });
        Assert.True(await call.ResponseStream.MoveNext());
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        var ended = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(cancel.Token));
        Assert.Equal(StatusCode.Cancelled, ended.StatusCode);
    }

    [Fact]
    public async Task A_client_stream_is_joined()
    {
        using var call = host.Client.Join();
        foreach (var word in new[] { "one", "two", "three" })
        {
            await call.RequestStream.WriteAsync(new Words { Text = word });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal("one two three", (await call).Text);
    }

    [Fact]
    public async Task A_client_stream_that_the_server_ends_tells_why()
    {
        using var call = host.Client.Join();
        await call.RequestStream.WriteAsync(new Words { Text = "refuse" });

        var refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal((StatusCode.InvalidArgument, "not that word"), (refused.StatusCode, refused.Status.Detail));
        var write = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new Words { Text = "more" }));
        Assert.Equal(StatusCode.InvalidArgument, write.StatusCode);
    }

    [Fact]
    public async Task A_duplex_stream_answers_each_message_before_the_next_is_sent()
    {
        using var call = host.Client.Chat();
        for (var i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new Words { Times = i });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(i, call.ResponseStream.Current.Times);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new Words()));
    }

    [Fact]
    public async Task Every_stream_ends_when_the_server_stops()
    {
        var other = await EchoHost.StartAsync();
        using var call = other.Client.Repeat(new Words { Text = "wait", Times = 1 });
        Assert.True(await call.ResponseStream.MoveNext());
        var next = call.ResponseStream.MoveNext();
        await other.DisposeAsync();

        await Assert.ThrowsAsync<RpcException>(() => next);
    }
}
