using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LocalPlus.Perf.Events;

/// <summary>
/// Endpoints on this machine that answer 204 to all that comes, and remember what came first and when: one path each.
/// </summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private const string IdHeader = "webhook-id";
    private const int Attempts = 10;
    private readonly HttpListener _listener;
    private readonly ConcurrentDictionary<(string Path, string Id), bool> _seen = new();
    private readonly Task _serving;
    private long _first;
    private long _last;
    private long _repeats;

    private WebhookReceiver(HttpListener listener, string address)
    {
        (_listener, Address) = (listener, address);
        _serving = ServeAsync();
    }

    /// <summary>What the endpoints' paths begin with.</summary>
    public string Address { get; }

    /// <summary>Different events of different endpoints.</summary>
    public int Received => _seen.Count;

    /// <summary>Those that came again.</summary>
    public long Repeats => Interlocked.Read(ref _repeats);

    /// <summary>From the first to the last that was new.</summary>
    public TimeSpan Took => Stopwatch.GetElapsedTime(Interlocked.Read(ref _first), Interlocked.Read(ref _last));

    public static WebhookReceiver Start()
    {
        for (var attempt = 1; ; attempt++)
        {
            var address = $"http://127.0.0.1:{FreePort()}/";
            var listener = new HttpListener();
            listener.Prefixes.Add(address);
            try
            {
                listener.Start();
                return new WebhookReceiver(listener, address);
            }
            catch (HttpListenerException) when (attempt < Attempts)
            {
                // Somebody took the port in between.
                listener.Close();
            }
        }
    }

    /// <summary>As if nothing had come yet.</summary>
    public void Forget()
    {
        _seen.Clear();
        Interlocked.Exchange(ref _first, 0);
        Interlocked.Exchange(ref _repeats, 0);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task ServeAsync()
    {
        var answering = new List<Task>();
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                answering.RemoveAll(task => task.IsCompleted);
                answering.Add(AnswerAsync(context));
            }
            catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
            {
                break;
            }
        }

        await Task.WhenAll(answering);
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            await context.Request.InputStream.CopyToAsync(Stream.Null);
            Note(context.Request.Url!.AbsolutePath, context.Request.Headers[IdHeader] ?? "");
            context.Response.StatusCode = (int)HttpStatusCode.NoContent;
            context.Response.Close();
        }
        catch (Exception gone) when (gone is HttpListenerException or IOException or ObjectDisposedException)
        {
            // Whoever sent it hung up; it will come again.
        }
    }

    private void Note(string path, string id)
    {
        var now = Stopwatch.GetTimestamp();
        if (!_seen.TryAdd((path, id), true))
        {
            Interlocked.Increment(ref _repeats);
            return;
        }

        Interlocked.CompareExchange(ref _first, now, 0);
        Interlocked.Exchange(ref _last, now);
    }
}
