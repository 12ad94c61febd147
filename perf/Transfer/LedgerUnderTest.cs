using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf.Transfer;

/// <summary>
/// A ledger of the bench's own, in Release, over an empty database on the running stack's PostgreSQL: so that a bench
/// never writes into the developer's books, and neither the gateway nor the consumers of events share the processors.
/// Its relay is kept still, for the same reason. Process and database are gone when it is disposed of. API keys are
/// verified through the running stack's sidecar, as everywhere.
/// </summary>
internal sealed class LedgerUnderTest : IAsyncDisposable
{
    public const string Database = "bench_ledger";
    private const string StopSignal = "-TERM";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private StillRelay? _still;

    private LedgerUnderTest(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<LedgerUnderTest> StartAsync(CancellationToken cancel)
    {
        await DropAsync(cancel);
        await Psql.RunAsync("postgres", $"CREATE DATABASE {Database};\n", cancel);
        var port = Api.Setting("LP_BENCH_PORT");
        var start = new ProcessStartInfo("dotnet", [Api.Setting("LP_LEDGER_ASSEMBLY")])
        {
            RedirectStandardOutput = true,
        };
        var secrets = JsonNode.Parse(await File.ReadAllTextAsync(Api.Setting("LP_SECRETS"), cancel))![
            "ledger"
        ]!.AsObject();
        foreach (var (name, value) in secrets)
        {
            start.Environment[$"Secrets__{name}"] = (string)value!;
        }

        start.Environment["Secrets__database"] = Psql.ConnectionString(Database);
        start.Environment["Secrets__app_role"] = Psql.User;
        start.Environment["APP_API_TOKEN"] = Guid.NewGuid().ToString("N");
        // It has no operators.
        foreach (var variable in new[] { "LP_OIDC_ISSUER", "LP_OIDC_AUDIENCE", "LP_JWKS" })
        {
            start.Environment[variable] = "https://localhost";
        }

        start.Environment["LP_PUBLIC_PORT"] = port;
        start.Environment["APP_PORT"] = $"{int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) + 1}";
        await MigrateAsync(start, cancel);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Trace.WriteLine(line.Data);
        process.BeginOutputReadLine();
        var ledger = new LedgerUnderTest(process, $"http://127.0.0.1:{port}");
        await ledger.WaitAsync(cancel);
        await ledger.HoldRelayAsync(cancel);
        return ledger;
    }

    /// <summary>The owner of the bench's database serves it, too.</summary>
    private static async Task MigrateAsync(ProcessStartInfo serving, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(serving.FileName, [.. serving.ArgumentList, "migrate"]);
        foreach (var (name, value) in serving.Environment)
        {
            start.Environment[name] = value;
        }

        using var migrating = Process.Start(start)!;
        await migrating.WaitForExitAsync(cancel);
        if (migrating.ExitCode != 0)
        {
            throw new BenchException($"the bench's database can not be migrated: exit code {migrating.ExitCode}");
        }
    }

    /// <summary>Keeps the outbox from being published, as it is from the start.</summary>
    public async Task HoldRelayAsync(CancellationToken cancel) =>
        _still ??= await StillRelay.TakeAsync(Database, cancel);

    public async Task ReleaseRelayAsync()
    {
        if (_still is not null)
        {
            await _still.DisposeAsync();
            _still = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var kill = Process.Start("kill", [StopSignal, $"{_process.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        await ReleaseRelayAsync();
        await DropAsync(CancellationToken.None);
    }

    private static async Task DropAsync(CancellationToken cancel) =>
        await Psql.RunAsync("postgres", $"DROP DATABASE IF EXISTS {Database} WITH (FORCE);\n", cancel);

    private async Task WaitAsync(CancellationToken cancel)
    {
        using var http = new HttpClient { BaseAddress = new Uri(Address) };
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartLimit && !_process.HasExited)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/startupz", UriKind.Relative), cancel);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }

        throw new BenchException($"the ledger of the bench was not ready within {StartLimit.TotalSeconds:0} s");
    }
}
