using System.Globalization;

namespace DotNet.Testcontainers.Containers;

/// <summary>A server that lives as long as a test wants it, and no longer than the test's process.</summary>
public interface IContainer : IAsyncDisposable
{
    string Id { get; }

    string Hostname { get; }

    ushort GetMappedPublicPort();

    ushort GetMappedPublicPort(int containerPort);

    ushort GetMappedPublicPort(string containerPort);

    Task StartAsync(CancellationToken ct = default);

    Task StopAsync(CancellationToken ct = default);
}

/// <summary>What a command printed and how it ended.</summary>
public readonly struct ExecResult
{
    public ExecResult(string stdout, string stderr, long? exitCode)
    {
        Stdout = stdout;
        Stderr = stderr;
        ExitCode = exitCode;
    }

    public string Stdout { get; }

    public string Stderr { get; }

    public long? ExitCode { get; }
}

/// <summary>
/// Here a container is a private process on a loopback port of its own, with data in a folder of its own that goes
/// with it. It ends with the process that started it, also when that is killed.
/// </summary>
public abstract class DockerContainer : IContainer
{
    private const int StartAttempts = 3;

    private readonly int containerPort;
    private ServerProcess? server;

    private protected DockerContainer(int containerPort) => this.containerPort = containerPort;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    public string Hostname => "127.0.0.1";

    public ushort GetMappedPublicPort() => GetMappedPublicPort(containerPort);

    public virtual ushort GetMappedPublicPort(int containerPort) => (server, containerPort == this.containerPort) switch
    {
        (null, _) => throw new InvalidOperationException("The container has not been started."),
        (_, false) => throw new InvalidOperationException($"Exposed port {containerPort} is not mapped."),
        _ => (ushort)server.Port,
    };

    public virtual ushort GetMappedPublicPort(string containerPort) =>
        GetMappedPublicPort(int.Parse(containerPort.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture));

    public virtual async Task StartAsync(CancellationToken ct = default)
    {
        for (var attempt = 1; server is null; attempt++)
        {
            try
            {
                server = await LaunchAsync(Ports.Free(), ct);
            }
            catch (PortTakenException) when (attempt < StartAttempts)
            {
                // Somebody was quicker; another port will do.
            }
        }
    }

    public virtual async Task StopAsync(CancellationToken ct = default)
    {
        if (server is not null)
        {
            await server.StopAsync(ct);
            server = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract Task<ServerProcess> LaunchAsync(int port, CancellationToken cancel);
}
