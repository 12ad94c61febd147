namespace LocalPlus.Servers;

/// <summary>How a server is started.</summary>
public sealed record PostgresServerSettings
{
    /// <summary>Durable as in production: what was committed is there after a kill. Otherwise it is quick.</summary>
    public bool IsDurable { get; init; }

    /// <summary>The size of a disk of its own for the data; without it they share everybody's.</summary>
    public long? DiskBytes { get; init; }

    /// <summary>The superuser's, whose name is postgres.</summary>
    public string Password { get; init; } = "test";
}

/// <summary>
/// A private PostgreSQL server on loopback that ends with this process: it may be stopped, killed, frozen, starved of
/// disk
/// and started again on its files.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "postgres";
    private const int StartAttempts = 3;

    private static readonly string[] NotDurable =
    [
        "-c",
        "fsync=off",
        "-c",
        "full_page_writes=off",
        "-c",
        "synchronous_commit=off",
    ];

    private readonly PostgresServerSettings settings;
    private readonly string folder;
    private ServerProcess? process;

    private PostgresServer(PostgresServerSettings settings, string folder) =>
        (this.settings, this.folder) = (settings, folder);

    /// <summary>The same for all of its lives.</summary>
    public int Port { get; private set; } = FreePort.Next();

    /// <summary>The superuser's, for Npgsql.</summary>
    public string ConnectionString =>
        $"Host=127.0.0.1;Port={Port};Database={User};Username={User};Password={settings.Password}";

    /// <summary>The same for a Dapr component.</summary>
    public string LibpqString => $"host=127.0.0.1 port={Port} user={User} password={settings.Password} dbname={User}";

    /// <summary>CPU time of its processes that are alive.</summary>
    public TimeSpan Cpu => process?.Cpu ?? TimeSpan.Zero;

    private string Data => Path.Combine(folder, "data");

    private string Status => Path.Combine(Data, "postmaster.pid");

    private string Filler => Path.Combine(Data, "filler");

    /// <summary>Starts one on fresh files and waits until it accepts connections.</summary>
    public static async Task<PostgresServer> StartAsync(
        PostgresServerSettings settings,
        CancellationToken cancel = default
    )
    {
        var template = await PostgresCluster.TemplateAsync(User, settings.Password, cancel);
        var server = new PostgresServer(settings, await ServerAccount.NewFolderAsync(cancel));
        try
        {
            await server.LayFilesAsync(template, cancel);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await server.StartAgainAsync(cancel);
                    return server;
                }
                catch (PortTakenException) when (attempt < StartAttempts)
                {
                    // Nobody knows the first port yet, so another one will do.
                    server.Port = FreePort.Next();
                }
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on the files it has, and waits until it has recovered and accepts connections.</summary>
    public async Task StartAgainAsync(CancellationToken cancel = default)
    {
        string[] durability = settings.IsDurable ? [] : NotDurable;
        string[] command =
        [
            PostgresPrograms.Must("postgres"),
            "-D",
            Data,
            "-p",
            $"{Port}",
            "-c",
            "listen_addresses=127.0.0.1",
            // As the stack's own server: the pools of many services meet on one.
            "-c",
            "max_connections=300",
            "-c",
            "unix_socket_directories=",
            .. durability,
        ];

        // One that was killed left it behind, and it says "ready".
        await ServerAccount.RunAsync(["rm", "-f", Status], cancel);
        process = await ServerProcess.StartAsync(command, folder, Signal.Int, _ => Task.FromResult(IsReady()), cancel);
    }

    /// <summary>Stops without a checkpoint, telling its clients.</summary>
    public Task StopAsync() => EndAsync(server => server.StopAsync(Signal.Quit));

    /// <summary>SIGKILL to all of its processes at once: nothing is flushed, nobody is told.</summary>
    public Task KillAsync() => EndAsync(server => server.EndAsync(Signal.Kill));

    /// <summary>Stops the clocks of its processes, those that serve too: connections stay open and say
    /// nothing.</summary>
    public void Freeze() => process?.SignalAll(Signal.Stop);

    public void Thaw() => process?.SignalAll(Signal.Cont);

    /// <summary>Writes until nothing more fits on its disk.</summary>
    public Task FillDiskAsync(CancellationToken cancel = default) => LimitedDisk.FillAsync(Filler, cancel);

    public void EmptyDisk() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await LimitedDisk.UnmountAsync(folder, CancellationToken.None);
        await ServerAccount.RunAsync(["rm", "-rf", folder], CancellationToken.None);
    }

    private async Task LayFilesAsync(string template, CancellationToken cancel)
    {
        await ServerAccount.RunAsync(["mkdir", "-m", "700", Data], cancel);
        if (settings.DiskBytes is { } bytes)
        {
            await LimitedDisk.MountAsync(Data, bytes, cancel);
            await ServerAccount.RunAsync(["chmod", "700", Data], cancel);
        }

        await ServerAccount.RunAsync(["cp", "-a", $"{template}/.", Data], cancel);

        // The log has a disk of its own: full data refuse statements, where a full log would stop the server.
        var (log, outside) = (Path.Combine(Data, "pg_wal"), Path.Combine(folder, "wal"));
        await ServerAccount.RunAsync(["mv", log, outside], cancel);
        await ServerAccount.RunAsync(["ln", "-s", outside, log], cancel);
    }

    private async Task EndAsync(Func<ServerProcess, Task> end)
    {
        if (process is { } server)
        {
            process = null;
            await end(server);
            server.Dispose();
        }
    }

    // The server itself writes there that it accepts connections.
    private bool IsReady() => File.Exists(Status) && File.ReadLines(Status).LastOrDefault()?.Trim() == "ready";
}
