using System.Diagnostics;

namespace LocalPlus.Engine.Testing;

/// <summary>
/// A PostgreSQL server of its own, with fsync on, whose postmaster is a child of this process: it can be killed -9 and
/// started again on the same data. PostgreSQL refuses to run as root; then it runs as the system's postgres user.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;
    private readonly bool _asRoot = Environment.UserName == "root";
    private Process? _server;

    private PrivatePostgres(string folder, int port) => (_folder, Port) = (folder, port);

    public int Port { get; }

    public string ConnectionString =>
        $"Host=127.0.0.1;Port={Port};Username=postgres;Password=postgres;Database=postgres;Timeout=5;Command Timeout=20";

    /// <summary>The same for a Dapr component.</summary>
    public string LibpqString => $"host=127.0.0.1 port={Port} user=postgres password=postgres dbname=postgres";

    public static async Task<PrivatePostgres> StartNewAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), "lp-pg-" + Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(folder);
        var postgres = new PrivatePostgres(folder, FreePorts.Next());
        await postgres.InitAsync();
        await postgres.StartAsync();
        return postgres;
    }

    private async Task InitAsync()
    {
        if (_asRoot)
        {
            await RunAsync("chown", ["postgres", _folder]);
        }

        await RunAsync(
            "initdb", ["-D", Path.Combine(_folder, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"],
            asPostgres: true);
    }

    public async Task StartAsync()
    {
        _server = Process.Start(Command(
            "postgres",
            [
                "-D", Path.Combine(_folder, "data"), "-p", $"{Port}", "-k", _folder, "-c", "listen_addresses=127.0.0.1",
                "-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal",
            ],
            asPostgres: true))!;
        _server.OutputDataReceived += (_, _) => { };
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        var begun = Stopwatch.GetTimestamp();
        using var pulse = new PeriodicTimer(Pulse);
        while (!await AnswersAsync())
        {
            if (Stopwatch.GetElapsedTime(begun) > StartPatience || _server.HasExited)
            {
                throw new InvalidOperationException("PostgreSQL did not start");
            }

            await pulse.WaitForNextTickAsync();
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await using var connection = new Npgsql.NpgsqlConnection(ConnectionString + ";Pooling=false");
            await connection.OpenAsync();
            return true;
        }
        catch (Npgsql.NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>kill -9 of the postmaster; its children end by themselves, as after a crash of the machine's service.</summary>
    public async Task KillAsync()
    {
        if (_server is { } server)
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
            await EmptyAsync();
        }
    }

    // The next postmaster refuses to start while backends of the last one hold the shared memory.
    private async Task EmptyAsync()
    {
        var data = Path.Combine(_folder, "data");
        using var pulse = new PeriodicTimer(Pulse);
        while (BackendsOf(data))
        {
            await pulse.WaitForNextTickAsync();
        }
    }

    private static bool BackendsOf(string data) => ProcessesOf(data).Any();

    private static IEnumerable<string> ProcessesOf(string data) => Directory.EnumerateDirectories("/proc").Where(process =>
    {
        try
        {
            return char.IsDigit(Path.GetFileName(process)[0])
                && File.ResolveLinkTarget(Path.Combine(process, "cwd"), false)?.FullName == data;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    /// <summary>CPU time of the server's processes that are alive.</summary>
    public TimeSpan Cpu
    {
        get
        {
            var sum = TimeSpan.Zero;
            foreach (var process in ProcessesOf(Path.Combine(_folder, "data")))
            {
                using var one = Process.GetProcessById(int.Parse(Path.GetFileName(process), System.Globalization.CultureInfo.InvariantCulture));
                sum += one.TotalProcessorTime;
            }

            return sum;
        }
    }

    private async Task RunAsync(string program, string[] arguments, bool asPostgres = false)
    {
        using var process = Process.Start(Command(program, arguments, asPostgres))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program}: {await output}{await error}");
        }
    }

    private ProcessStartInfo Command(string program, string[] arguments, bool asPostgres)
    {
        var path = asPostgres ? Find(program) : program;
        var start = new ProcessStartInfo
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        string[] all = asPostgres && _asRoot
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. arguments]
            : [path, .. arguments];
        start.FileName = all[0];
        all[1..].ToList().ForEach(start.ArgumentList.Add);
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    private static string Find(string program)
    {
        var folders = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending().Select(folder => Path.Combine(folder, "bin"))
            : [];
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _server?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
