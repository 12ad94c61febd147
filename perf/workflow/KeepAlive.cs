using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalPlus.Perf.Workflow;

/// <summary>
/// One HTTP/1.1 connection that sends the same bytes again and again and reads no more of an answer than its end:
/// the generator runs on the processors it measures and must take little of them.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private static readonly byte[] LastChunk = "0\r\n\r\n"u8.ToArray();

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };
    private readonly byte[] _buffer = new byte[16 * 1024];

    public static byte[] Request(string method, int port, string path, string? body) =>
        Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                + (body is null ? "" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n")
                + $"\r\n{body}"
        );

    public async Task ConnectAsync(int port) => await _socket.ConnectAsync(IPAddress.Loopback, port);

    /// <summary>The status of the answer.</summary>
    public async Task<int> SendAsync(ReadOnlyMemory<byte> request)
    {
        await _socket.SendAsync(request);
        var length = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0)
            {
                throw new IOException("the connection was closed");
            }

            length += read;
            if (IsComplete(_buffer.AsSpan(0, length)))
            {
                return int.Parse(Encoding.ASCII.GetString(_buffer, 9, 3), CultureInfo.InvariantCulture);
            }
        }
    }

    private static bool IsComplete(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        var head = answer[..(end + 2)];
        var body = answer[(end + 4)..];
        if (head.IndexOf("chunked"u8) >= 0)
        {
            return body.EndsWith(LastChunk);
        }

        var at = head.IndexOf("Content-Length: "u8);
        if (at < 0)
        {
            return true;
        }

        var digits = head[(at + 16)..];
        return body.Length
            >= int.Parse(digits[..digits.IndexOf((byte)'\r')], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    public void Dispose() => _socket.Dispose();
}
