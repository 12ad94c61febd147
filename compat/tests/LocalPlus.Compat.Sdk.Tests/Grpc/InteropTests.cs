using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

/// <summary>The same calls with an official implementation on the other side.</summary>
public sealed class InteropTests
{
    [Fact]
    public async Task An_official_client_gets_the_right_answers_from_our_server()
    {
        await using var host = await EchoHost.StartAsync();
        using var peer = await NodePeer.StartAsync("client", host.Address["http://".Length..]);
        var output = await peer.StandardOutput.ReadToEndAsync();
        var errors = await peer.StandardError.ReadToEndAsync();
        await peer.WaitForExitAsync();

        Assert.DoesNotContain("failed ", output, StringComparison.Ordinal);
        Assert.True(peer.ExitCode == 0 && output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)) == 9, output + errors);
    }

    [Fact]
    public async Task Our_client_gets_the_right_answers_from_an_official_server()
    {
        using var peer = await NodePeer.StartAsync("server");
        try
        {
            var port = await peer.StandardOutput.ReadLineAsync();
            using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
            var client = new Echo.EchoClient(channel);
            await UnaryCallsAsync(client);
            await StreamsAsync(client);
        }
        finally
        {
            peer.StandardInput.Close();
            await peer.WaitForExitAsync();
        }
    }

    private static async Task UnaryCallsAsync(Echo.EchoClient client)
    {
        using var call = client.SayAsync(
            new Words { Text = "headers" }, new Metadata { { "who", "me" }, { "raw-bin", [1, 2, 3, 4] } });
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("headers", (await call).Text);
        Assert.Equal(("yes", "me"), (headers.GetValue("early"), headers.GetValue("seen")));
        Assert.Equal([1, 2, 3, 4], headers.GetValueBytes("raw-bin"));
        Assert.Equal("7", call.GetTrailers().GetValue("said"));

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.SayAsync(new Words { Text = "refuse" }));
        Assert.Equal((StatusCode.FailedPrecondition, "zu wenig: 30 € > 20 % 💶"), (refused.StatusCode, refused.Status.Detail));
        Assert.Equal([0, 255, 7], refused.Trailers.GetValueBytes("proof-bin"));

        var late = await Assert.ThrowsAsync<RpcException>(
            async () => await client.SayAsync(new Words { Text = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(200)));
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);

        var large = new Words { Ballast = ByteString.CopyFrom(new byte[3_000_000]) };
        Assert.Equal(large, await client.SayAsync(large));
    }

    private static async Task StreamsAsync(Echo.EchoClient client)
    {
        using var repeat = client.Repeat(new Words { Text = "refuse", Times = 2 });
        Assert.True(await repeat.ResponseStream.MoveNext());
        Assert.True(await repeat.ResponseStream.MoveNext());
        var aborted = await Assert.ThrowsAsync<RpcException>(() => repeat.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.Aborted, "enough"), (aborted.StatusCode, aborted.Status.Detail));

        using var join = client.Join();
        await join.RequestStream.WriteAsync(new Words { Text = "one" });
        await join.RequestStream.WriteAsync(new Words { Text = "two" });
        await join.RequestStream.CompleteAsync();
        Assert.Equal("one two", (await join).Text);

        using var chat = client.Chat();
        for (var i = 0; i < 20; i++)
        {
            await chat.RequestStream.WriteAsync(new Words { Times = i });
            Assert.True(await chat.ResponseStream.MoveNext());
            Assert.Equal(i, chat.ResponseStream.Current.Times);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext());
    }
}
