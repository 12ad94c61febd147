using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>
/// One connection on which any number of callers have commands under way: what is written while a send is in progress
/// goes out with the next one, replies are matched by order. A connection that failed stays failed; its owner opens
/// another.
/// </summary>
internal sealed class ValkeyConnection : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<Pending> waiting = new();
    private readonly SemaphoreSlim signal = new(0);
    private readonly Stream stream;
    private readonly TimeSpan replyTimeout;
    private readonly CancellationTokenSource closing = new();
    private readonly Timer? watchdog;
    private ArrayBufferWriter<byte> outgoing = new(4096);
    private ArrayBufferWriter<byte> sending = new(4096);
    private bool signalled;
    private Exception? failure;
    private Task loops = Task.CompletedTask;

    private ValkeyConnection(Stream stream, TimeSpan replyTimeout)
    {
        this.stream = stream;
        this.replyTimeout = replyTimeout;
        if (replyTimeout != Timeout.InfiniteTimeSpan)
        {
            watchdog = new Timer(_ => CheckOverdue(), null, replyTimeout, TimeSpan.FromSeconds(1));
        }
    }

    public bool Failed => failure is not null;

    /// <summary>Gets what the server sends without having been asked; only for connections that listen.</summary>
    public Action<RespValue>? Pushed { get; set; }

    /// <summary>Hears of the end of the connection.</summary>
    public Action<Exception>? Ended { get; set; }

    /// <summary>
    /// Connects, authenticates and selects the database. Blocking commands want a longer reply timeout.
    /// </summary>
    public static async Task<ValkeyConnection> OpenAsync(
        ValkeySettings settings,
        TimeSpan replyTimeout,
        CancellationToken cancel
    )
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(settings.Host, settings.Port, cancel);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (settings.Tls)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions { TargetHost = settings.Host },
                    cancel
                );
                stream = secure;
            }
            var connection = new ValkeyConnection(stream, replyTimeout);
            connection.loops = Task.WhenAll(connection.WriteLoopAsync(), connection.ReadLoopAsync());
            try
            {
                await connection.PrepareAsync(settings).WaitAsync(cancel);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
        catch (Exception problem)
            when (problem is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            socket.Dispose();
            throw new ValkeyException($"dial tcp {settings}: {problem.Message}", problem);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one command and waits for its reply, which may be an error.</summary>
    public Task<RespValue> SendAsync(params ReadOnlySpan<RespArg> command)
    {
        var pending = new Pending();
        lock (gate)
        {
            ThrowIfFailed();
            RespProtocol.Write(outgoing, command);
            waiting.Enqueue(pending);
            Wake();
        }
        return pending.Task;
    }

    /// <summary>Sends commands with nothing between them; one reply each.</summary>
    public Task<RespValue[]> SendAllAsync(IReadOnlyList<RespArg[]> commands)
    {
        var replies = new Task<RespValue>[commands.Count];
        lock (gate)
        {
            ThrowIfFailed();
            for (var i = 0; i < commands.Count; i++)
            {
                RespProtocol.Write(outgoing, commands[i]);
                var pending = new Pending();
                waiting.Enqueue(pending);
                replies[i] = pending.Task;
            }
            Wake();
        }
        return Task.WhenAll(replies);
    }

    /// <summary>Sends a command whose replies come to <see cref="Pushed"/>.</summary>
    public void Post(params ReadOnlySpan<RespArg> command)
    {
        lock (gate)
        {
            ThrowIfFailed();
            RespProtocol.Write(outgoing, command);
            Wake();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Fail(new ValkeyException("redis: client is closed"));
        await loops;
        watchdog?.Dispose();
        await stream.DisposeAsync();
        closing.Dispose();
        signal.Dispose();
    }

    private async Task PrepareAsync(ValkeySettings settings)
    {
        if (settings.Password is { } password)
        {
            var reply = settings.Username is { } user
                ? await SendAsync("AUTH", user, password)
                : await SendAsync("AUTH", password);
            reply.OrThrow();
        }
        if (settings.Database != 0)
        {
            (await SendAsync("SELECT", settings.Database)).OrThrow();
        }
    }

    /// <summary>Held under the lock.</summary>
    private void Wake()
    {
        if (!signalled)
        {
            signalled = true;
            signal.Release();
        }
    }

    private void ThrowIfFailed()
    {
        if (failure is not null)
        {
            throw new ValkeyException(failure.Message, failure);
        }
        if (waiting.Count >= Limits.ValkeyPipeline)
        {
            throw new ValkeyException("redis: too many commands are waiting for an answer");
        }
    }

    private async Task WriteLoopAsync()
    {
        try
        {
            while (true)
            {
                await signal.WaitAsync(closing.Token);
                lock (gate)
                {
                    signalled = false;
                    (outgoing, sending) = (sending, outgoing);
                }
                await stream.WriteAsync(sending.WrittenMemory, closing.Token);
                sending.ResetWrittenCount();
            }
        }
        catch (Exception problem)
        {
            Fail(problem);
        }
    }

    private async Task ReadLoopAsync()
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 << 10, leaveOpen: true));
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(closing.Token);
                var rest = Consume(result.Buffer);
                reader.AdvanceTo(rest, result.Buffer.End);
                if (result.IsCompleted)
                {
                    throw new IOException("EOF");
                }
            }
        }
        catch (Exception problem)
        {
            Fail(problem);
        }
    }

    private SequencePosition Consume(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        var consumed = reader.Position;
        while (!reader.End && RespProtocol.TryRead(ref reader, out var value))
        {
            consumed = reader.Position;
            Pending? pending;
            lock (gate)
            {
                waiting.TryDequeue(out pending);
            }
            if (pending is not null)
            {
                pending.TrySetResult(value);
            }
            else
            {
                Pushed?.Invoke(value);
            }
        }
        return consumed;
    }

    private void CheckOverdue()
    {
        lock (gate)
        {
            if (
                !waiting.TryPeek(out var oldest)
                || Environment.TickCount64 - oldest.Since < replyTimeout.TotalMilliseconds
            )
            {
                return;
            }
        }
        Fail(new IOException("i/o timeout"));
    }

    private void Fail(Exception problem)
    {
        List<Pending> lost;
        lock (gate)
        {
            if (failure is not null)
            {
                return;
            }
            failure = problem;
            lost = [.. waiting];
            waiting.Clear();
        }
        closing.Cancel();
        foreach (var pending in lost)
        {
            pending.TrySetException(new ValkeyException(problem.Message, problem));
        }
        Ended?.Invoke(problem);
    }

    /// <summary>Continuations run elsewhere: the read loop must not wait for its callers.</summary>
    private sealed class Pending() : TaskCompletionSource<RespValue>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public long Since { get; } = Environment.TickCount64;
    }
}
