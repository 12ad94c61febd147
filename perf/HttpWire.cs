using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalPlus.Perf;

/// <summary>One request; the body is JSON of ASCII, so that its length is its bytes'.</summary>
internal readonly record struct WireRequest(
    string Method,
    string Path,
    string Bearer,
    string Body = "",
    string? Key = null
);

/// <summary>What came back: 0 when the connection ended without an answer, and a failure's short name.</summary>
internal readonly record struct WireAnswer(int Status, string Failure)
{
    /// <summary>The least that Retry-After says.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Whether the request may or may not have happened.</summary>
    public bool IsUnknown => Status is 0 or >= 500;

    public string? FailureUnless(int status) => Status == status ? null : Failure;

    /// <summary>In a closed loop, a client that was refused waits before its next request, as it is asked to.</summary>
    public Task ComeAgainAsync(BenchOptions options, CancellationToken end) =>
        Status is 429 or 503 && options.Rate is null ? Task.Delay(RetryAfter, end) : Task.CompletedTask;
}

/// <summary>
/// One kept-alive HTTP/1.1 connection with one request under way, written for the generator's share of the processors
/// to be small beside what it measures: no pools, no header objects, one buffer each way. It connects when it is first
/// used, and anew after the server closed it. Setting up uses <see cref="Api"/>.
/// </summary>
internal sealed class HttpWire(string address) : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private readonly Uri _address = new(address);
    private readonly byte[] _received = new byte[BufferBytes];
    private readonly byte[] _sent = new byte[BufferBytes];
    private Socket? _socket;

    /// <summary>Sends and reads the whole answer. Never repeats: a lost connection is an answer of its own.</summary>
    public async ValueTask<WireAnswer> SendAsync(WireRequest request, CancellationToken cancel)
    {
        try
        {
            var socket = _socket ??= await ConnectAsync(cancel);
            await socket.SendAsync(_sent.AsMemory(0, Write(request)), cancel);
            var filled = 0;
            while (true)
            {
                var read = await socket.ReceiveAsync(_received.AsMemory(filled), cancel);
                if (read == 0)
                {
                    return Lost("closed");
                }

                filled += read;
                if (Parse(_received.AsSpan(0, filled)) is { } answer)
                {
                    return answer;
                }
            }
        }
        catch (SocketException e)
        {
            return Lost($"{e.SocketErrorCode}");
        }
    }

    public void Dispose() => _socket?.Dispose();

    private async Task<Socket> ConnectAsync(CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(_address.Host), _address.Port), cancel);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    private WireAnswer Lost(string why)
    {
        Close();
        return new(0, why);
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private int Write(in WireRequest request)
    {
        var key = request.Key is null ? "" : $"Idempotency-Key: {request.Key}\r\n";
        return Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{request.Method} {request.Path} HTTP/1.1\r\n"
                    + $"Host: {_address.Authority}\r\nAuthorization: Bearer {request.Bearer}\r\n{key}"
                    + $"Content-Type: application/json\r\nContent-Length: {request.Body.Length}\r\n\r\n{request.Body}"
            ),
            _sent
        );
    }

    private WireAnswer? Parse(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var head = received[..end];
        var body = received[(end + 4)..];
        var at = head.IndexOf("Content-Length: "u8);
        var isWhole =
            at >= 0 && Utf8Parser.TryParse(head[(at + "Content-Length: ".Length)..], out int length, out _)
                ? body.Length >= length
                : body.EndsWith("\r\n0\r\n\r\n"u8);
        if (!isWhole || !Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _))
        {
            return received.Length < BufferBytes
                ? null
                : throw new BenchException("an answer is longer than the generator's buffer");
        }

        // A gateway ends a connection after so many requests, and says so before.
        if (head.IndexOf("\r\nConnection: close"u8) >= 0)
        {
            Close();
        }

        return new(status, Name(status, body));
    }

    /// <summary>What a flood is refused with costs the generator next to nothing to read.</summary>
    private static string Name(int status, ReadOnlySpan<byte> body)
    {
        if (status == 201)
        {
            return "201";
        }

        return status < 300 ? $"{status}"
            : body.IndexOf("\"code\":\"overloaded\""u8) >= 0 ? "overloaded"
            : body.IndexOf("\"code\":\"quota_exceeded\""u8) >= 0 ? "quota_exceeded"
            : Api.Failure(status, Encoding.UTF8.GetString(body));
    }
}

/// <summary>A connection for each client of a load.</summary>
internal sealed class HttpWires(string address, int clients) : IDisposable
{
    private readonly HttpWire[] _wires = [.. Enumerable.Range(0, clients).Select(_ => new HttpWire(address))];

    public HttpWire this[int client] => _wires[client];

    public void Dispose() => Array.ForEach(_wires, wire => wire.Dispose());
}
