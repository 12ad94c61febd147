using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalPlus.Perf;

/// <summary>
/// One kept-alive HTTP/1.1 connection with one request under way, written for the generator's share of the processors to
/// be small beside what it measures: no pools, no header objects, one buffer each way. Setting up uses <see cref="Api"/>.
/// </summary>
internal sealed class HttpWire : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _received = new byte[BufferBytes];
    private readonly byte[] _sent = new byte[BufferBytes];
    private readonly string _headers;

    private HttpWire(Uri address, string bearer) =>
        _headers = $" HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {bearer}\r\nContent-Type: application/json\r\n";

    public static async Task<HttpWire> ConnectAsync(string address, string bearer, CancellationToken cancel)
    {
        var uri = new Uri(address);
        var wire = new HttpWire(uri, bearer);
        await wire._socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port), cancel);
        return wire;
    }

    /// <summary>Posts JSON and reads the whole answer; the body is given only when it is a failure's.</summary>
    public async ValueTask<(int Status, string Failure)> PostAsync(string path, string json, string key, CancellationToken cancel)
    {
        var length = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"POST {path}{_headers}Idempotency-Key: {key}\r\nContent-Length: {json.Length}\r\n\r\n{json}"), _sent);
        await _socket.SendAsync(_sent.AsMemory(0, length), cancel);
        var filled = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_received.AsMemory(filled), cancel);
            filled = read > 0 ? filled + read : throw new BenchException("the server closed the connection");
            if (Parse(_received.AsSpan(0, filled)) is { } answer)
            {
                return answer;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private static (int Status, string Failure)? Parse(ReadOnlySpan<byte> received)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var head = received[..end];
        var body = received[(end + 4)..];
        var at = head.IndexOf("Content-Length: "u8);
        var isWhole = at >= 0 && Utf8Parser.TryParse(head[(at + "Content-Length: ".Length)..], out int length, out _)
            ? body.Length >= length
            : body.EndsWith("\r\n0\r\n\r\n"u8);
        if (!isWhole || !Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _))
        {
            return received.Length < BufferBytes ? null : throw new BenchException("an answer is longer than the generator's buffer");
        }

        return (status, status < 300 ? "" : Encoding.UTF8.GetString(body));
    }
}
