using System.Net;
using System.Net.Sockets;
using System.Text;
using LocalPlus.Perf;

namespace LocalPlus.Tests.Unit.Perf;

public sealed class HttpWireTests : IDisposable
{
    private const string Kept = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
    private const string Last =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    private const string Refused =
        "HTTP/1.1 422 Unprocessable\r\nContent-Length: 28\r\n\r\n{\"code\":\"gift_card_refused\"}";
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    public HttpWireTests() => _server.Start();

    [Fact]
    public async Task A_connection_serves_until_the_server_says_that_it_ends()
    {
        var served = ServeAsync([Kept, Last], [Kept]);
        using var wire = Connect();
        var first = await AskAsync(wire);
        var second = await AskAsync(wire);
        var third = await AskAsync(wire);
        Assert.Equal((201, 200, 201), (first.Status, second.Status, third.Status));
        await served;
    }

    [Fact]
    public async Task A_connection_that_ends_without_an_answer_is_an_unknown_outcome_and_the_next_request_has_a_new_one()
    {
        var served = ServeAsync([""], [Kept]);
        using var wire = Connect();
        var lost = await AskAsync(wire);
        Assert.True(lost.IsUnknown);
        Assert.Equal("closed", lost.FailureUnless(201));
        Assert.Null((await AskAsync(wire)).FailureUnless(201));
        await served;
    }

    [Fact]
    public async Task A_refusal_goes_by_its_code()
    {
        var served = ServeAsync([Refused]);
        using var wire = Connect();
        var answer = await AskAsync(wire);
        Assert.False(answer.IsUnknown);
        Assert.Equal("gift_card_refused", answer.FailureUnless(201));
        await served;
    }

    public void Dispose() => _server.Dispose();

    private HttpWire Connect() => new($"http://{_server.LocalEndpoint}");

    private static ValueTask<WireAnswer> AskAsync(HttpWire wire) =>
        wire.SendAsync(new("POST", "/v1/things", "key", "{}", "once"), CancellationToken.None);

    /// <summary>Takes a connection for each list, answers as many requests with it, and ends it.</summary>
    private async Task ServeAsync(params string[][] connections)
    {
        var buffer = new byte[4096];
        foreach (var answers in connections)
        {
            using var socket = await _server.AcceptSocketAsync(CancellationToken.None);
            foreach (var answer in answers)
            {
                await socket.ReceiveAsync(buffer, CancellationToken.None);
                await socket.SendAsync(Encoding.ASCII.GetBytes(answer), CancellationToken.None);
            }
        }
    }
}
