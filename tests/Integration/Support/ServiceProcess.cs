using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Servers;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A service as its own process, as everywhere else, so that a test may kill it at any instant.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    public const string AppToken = "app-token";

    /// <summary>What the ledger signs its log with in this run.</summary>
    public static readonly string CheckpointKey = Convert.ToBase64String(
        ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportPkcs8PrivateKey()
    );
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private readonly Process process;
    private readonly StringBuilder output;
    private bool isDisposed;

    private ServiceProcess(string service, Process process, StringBuilder output, int publicPort, int appPort)
    {
        this.process = process;
        this.output = output;
        Public = new HttpClient(new ContractHandler(service))
        {
            BaseAddress = new Uri($"http://127.0.0.1:{publicPort}"),
        };
        App = new HttpClient(new ContractHandler($"internal/{service}"))
        {
            BaseAddress = new Uri($"http://127.0.0.1:{appPort}"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        App.DefaultRequestHeaders.Add("dapr-api-token", AppToken);
        AppPort = appPort;
    }

    /// <summary>The port that the gateway talks to; an answer that the service does not declare throws.</summary>
    public HttpClient Public { get; }

    /// <summary>The port that the sidecar talks to, with its token; as strict.</summary>
    public HttpClient App { get; }

    public int AppPort { get; }

    /// <summary>The memory that the service's process has now.</summary>
    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>
    /// Starts the service whose entry assembly is given and waits until its database and endpoints answer.
    /// </summary>
    public static async Task<ServiceProcess> StartAsync(
        string assemblyPath,
        TestDatabase database,
        int daprHttpPort,
        int daprGrpcPort = 0,
        params (string Name, string Value)[] environment
    )
    {
        var (publicPort, appPort) = (FreePort.Next(), FreePort.Next());
        var start = new ProcessStartInfo("dotnet", [assemblyPath])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string, string)[] settings =
        [
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            // A service lives for a few requests here. To measure code and to compile it again costs a third of its
            // time, so that begins a minute (in hexadecimal milliseconds) after it has met nothing new.
            ("DOTNET_TieredPGO", "0"),
            ("DOTNET_TC_CallCountingDelayMs", "EA60"),
            ("LP_PUBLIC_PORT", $"{publicPort}"),
            ("APP_PORT", $"{appPort}"),
            ("DAPR_HTTP_PORT", $"{daprHttpPort}"),
            ("DAPR_GRPC_PORT", $"{daprGrpcPort}"),
            ("APP_API_TOKEN", AppToken),
            ("Secrets__database", database.ConnectionString),
            ("Secrets__fingerprint_keys", $"1:{new string('f', 40)}"),
            ("Secrets__checkpoint_key", CheckpointKey),
            ("Secrets__webhook_keys", $"1:{new string('w', 40)}"),
            ("Secrets__address_key", new string('a', 40)),
            ("LP_PUBLIC_URL", "http://localhost:5080"),
            ("LP_MAIL_FROM", "LocalPlus <no-reply@localplus.test>"),
            // Nobody is there; a test that sends has a mail server of its own.
            ("LP_MAIL_SERVER", "127.0.0.1:1"),
            .. environment,
        ];
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        var output = new StringBuilder();
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var assembly = Path.GetFileNameWithoutExtension(assemblyPath)
            .Replace("LocalPlus.", "", StringComparison.Ordinal);
        var service = new ServiceProcess(assembly.ToLowerInvariant(), process, output, publicPort, appPort);
        await Eventually.TrueAsync(service.IsReadyAsync, StartLimit, () => service.Output);
        return service;
    }

    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return;
        }

        isDisposed = true;
        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync();
        process.Dispose();
        Public.Dispose();
        App.Dispose();
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        if (process.HasExited)
        {
            throw new InvalidOperationException($"The service ended with {process.ExitCode}:\n{Output}");
        }

        try
        {
            using var answer = await Public.GetAsync(new Uri("/readyz", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
