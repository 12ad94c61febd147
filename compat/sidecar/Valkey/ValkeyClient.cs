using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Valkey;

/// <summary>
/// A component's Valkey: one shared connection, opened again when it was lost. While the server is away commands fail
/// after one attempt to reach it, they are never queued: the caller's retry policy decides.
/// </summary>
internal sealed class ValkeyClient(ValkeySettings settings) : IAsyncDisposable
{
    private readonly SemaphoreSlim opening = new(1);
    private ValkeyConnection? shared;
    private bool disposed;

    public ValkeySettings Settings => settings;

    /// <summary>Runs one command; a server's refusal is an exception.</summary>
    public async ValueTask<RespValue> ExecuteAsync(params RespArg[] command)
    {
        var connection = await GetAsync(CancellationToken.None);
        return (await connection.SendAsync(command)).OrThrow();
    }

    /// <summary>Runs commands without anything between them; replies may be errors.</summary>
    public async ValueTask<RespValue[]> ExecuteAllAsync(IReadOnlyList<RespArg[]> commands)
    {
        var connection = await GetAsync(CancellationToken.None);
        return await connection.SendAllAsync(commands);
    }

    /// <summary>Runs a script by its hash, sending its text when the server does not know it yet.</summary>
    public async ValueTask<RespValue> EvaluateAsync(ValkeyScript script, params RespArg[] keysAndArguments)
    {
        var connection = await GetAsync(CancellationToken.None);
        var reply = await connection.SendAsync(["EVALSHA", script.Hash, .. keysAndArguments]);
        if (reply.Error is { } error && error.Is("NOSCRIPT"))
        {
            reply = await connection.SendAsync(["EVAL", script.Text, .. keysAndArguments]);
        }
        return reply.OrThrow();
    }

    /// <summary>A connection of one's own, for commands that block.</summary>
    public Task<ValkeyConnection> OpenAsync(TimeSpan replyTimeout, CancellationToken cancel) =>
        ValkeyConnection.OpenAsync(settings, replyTimeout, cancel);

    public async Task PingAsync(CancellationToken cancel)
    {
        var connection = await GetAsync(cancel);
        (await connection.SendAsync("PING").WaitAsync(cancel)).OrThrow();
    }

    public async ValueTask DisposeAsync()
    {
        disposed = true;
        if (shared is { } connection)
        {
            await connection.DisposeAsync();
        }
    }

    private ValueTask<ValkeyConnection> GetAsync(CancellationToken cancel) =>
        shared is { Failed: false } connection ? ValueTask.FromResult(connection) : OpenSharedAsync(cancel);

    private async ValueTask<ValkeyConnection> OpenSharedAsync(CancellationToken cancel)
    {
        await opening.WaitAsync(cancel);
        try
        {
            if (shared is { Failed: false } current)
            {
                return current;
            }
            ObjectDisposedException.ThrowIf(disposed, this);
            if (shared is { } failed)
            {
                shared = null;
                await failed.DisposeAsync();
            }
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(Limits.ValkeyTimeout);
            try
            {
                return shared = await ValkeyConnection.OpenAsync(settings, Limits.ValkeyTimeout, limit.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new ValkeyException($"dial tcp {settings}: i/o timeout");
            }
        }
        finally
        {
            opening.Release();
        }
    }
}

/// <summary>A Lua script with the hash under which Valkey keeps it.</summary>
internal sealed class ValkeyScript(string text)
{
    public string Text { get; } = text;

#pragma warning disable CA5350 // Valkey names scripts by their SHA-1; nothing is protected by it.
    public string Hash { get; } =
        Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
}
