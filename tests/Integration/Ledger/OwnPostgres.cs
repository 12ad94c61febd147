using System.Diagnostics;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// A PostgreSQL server of the test's own, durable as in production, that it may stop, freeze, starve and kill: what was
/// committed has to be there when it comes back on the same files.
/// </summary>
internal sealed class OwnPostgres : IAsyncDisposable
{
    private const string User = "postgres";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly string binaries = Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Last() + "/bin";
    private readonly string folder;
    private Process? server;

    private OwnPostgres(string folder) => this.folder = folder;

    private int Port { get; } = FreePort.Next();

    public string Admin => $"Host=127.0.0.1;Port={Port};Username={User};Password=none;Database=postgres;Pooling=false";

    private string Data => Path.Combine(folder, "data");

    private string Filler => Path.Combine(Data, "filler");

    /// <param name="diskBytes">The size of a disk of its own for the data; without it they share everybody's.</param>
    public static async Task<OwnPostgres> StartAsync(long? diskBytes = null)
    {
        var own = new OwnPostgres(Directory.CreateTempSubdirectory("localplus-own-postgres-").FullName);
        Directory.CreateDirectory(own.Data);
        if (diskBytes is { } size)
        {
            Assert.True(Environment.IsPrivilegedProcess, "A disk that a test may fill needs the rights to mount one: run it as root.");
            await RunAsync("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", own.Data);
        }

        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", User, own.folder, own.Data);
        }

        // The log has a disk of its own: full data refuse statements, where a full log would stop the server.
        await own.AsUserAsync(
            Path.Combine(own.binaries, "initdb"), "-D", own.Data, "--waldir", Path.Combine(own.folder, "wal"), "-U", User, "--auth=trust", "--no-sync",
            "--encoding=UTF8", "--locale=C.UTF-8");
        await own.StartAgainAsync();
        return own;
    }

    /// <summary>Starts the server on the files it has, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        string[] command =
        [
            Path.Combine(binaries, "postgres"), "-D", Data, "-p", $"{Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "max_connections=100",
        ];
        server = Process.Start(StartInfo(command))!;
        server.OutputDataReceived += (_, _) => { };
        server.ErrorDataReceived += (_, _) => { };
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        await Eventually.TrueAsync(IsUpAsync, StartLimit);
    }

    /// <summary>SIGKILL to the postmaster and all of its children at once: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        var children = File.ReadAllText($"/proc/{server!.Id}/task/{server.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        await RunAsync("kill", ["-KILL", $"{server.Id}", .. children], mayFail: true);
        await server.WaitForExitAsync();

        // Its children hold the shared memory until they are gone, and a new server refuses to start beside it.
        await Eventually.TrueAsync(() => Array.TrueForAll(children, child => !Directory.Exists($"/proc/{child}")));
        File.Delete(Path.Combine(Data, "postmaster.pid"));
    }

    /// <summary>Stops without a checkpoint, telling its clients.</summary>
    public async Task StopAsync()
    {
        await RunAsync("kill", "-QUIT", $"{server!.Id}");
        await server.WaitForExitAsync();
    }

    /// <summary>Stops the clocks of the server's processes, those that serve too: connections stay open and say nothing.</summary>
    public Task FreezeAsync() => SignalAllAsync("-STOP");

    public Task ThawAsync() => SignalAllAsync("-CONT");

    /// <summary>Writes until nothing more fits.</summary>
    public async Task FillDiskAsync()
    {
        await using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var chunk = new byte[8192]; ;)
            {
                await filler.WriteAsync(chunk);
            }
        }
        catch (IOException)
        {
            // Full: what it was for.
        }
    }

    public void EmptyDisk() => File.Delete(Filler);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Admin);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { HasExited: false })
        {
            await ThawAsync();
            await KillAsync();
        }

        server?.Dispose();
        await RunAsync("umount", ["-l", Data], mayFail: true);
        Directory.Delete(folder, recursive: true);
    }

    private static Task RunAsync(string program, params string[] arguments) => RunAsync(program, arguments, mayFail: false);

    private static async Task RunAsync(string program, string[] arguments, bool mayFail)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(mayFail || process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await output}{await error}");
    }

    private ProcessStartInfo StartInfo(string[] command)
    {
        // PostgreSQL refuses to run as root.
        string[] all = Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--", .. command] : command;
        return new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
    }

    private async Task AsUserAsync(params string[] command)
    {
        var info = StartInfo(command);
        await RunAsync(info.FileName, [.. info.ArgumentList], mayFail: false);
    }

    private Task SignalAllAsync(string signal)
    {
        var children = File.ReadAllText($"/proc/{server!.Id}/task/{server.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return RunAsync("kill", [signal, $"{server.Id}", .. children], mayFail: true);
    }

    private async Task<bool> IsUpAsync()
    {
        Assert.False(server!.HasExited, "PostgreSQL did not start.");
        try
        {
            await ExecuteAsync("SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
