using System.Net;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Servers;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// A service that runs for a test, behind its two ports. It lives in the tests' process, where what its likes have
/// compiled is there already, which is most of a start; or in its own (<see cref="ServiceProcess"/>), where a test
/// kills it, arms failpoints, or measures it.
/// </summary>
public abstract class RunningService : IAsyncDisposable
{
    public const string AppToken = "app-token";
    private const string Failpoints = "LP_FAILPOINTS";

    /// <summary>What the ledger signs its log with in this run.</summary>
    public static readonly string CheckpointKey = Convert.ToBase64String(
        ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportPkcs8PrivateKey()
    );
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private readonly StringBuilder output = new();

    private protected RunningService(string service, int publicPort, int appPort)
    {
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

    /// <summary>What it has printed.</summary>
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
    /// Starts the service whose entry assembly is given and waits until its database and endpoints answer: in this
    /// process, unless failpoints are armed, which are the whole process's.
    /// </summary>
    public static Task<RunningService> StartAsync(
        string assemblyPath,
        TestDatabase database,
        int daprHttpPort,
        int daprGrpcPort = 0,
        params (string Name, string Value)[] settings
    ) => StartAsync(assemblyPath, database, daprHttpPort, daprGrpcPort, inProcess: true, settings);

    /// <summary>The same, in a process of its own where that is wanted.</summary>
    public static async Task<RunningService> StartAsync(
        string assemblyPath,
        TestDatabase database,
        int daprHttpPort,
        int daprGrpcPort,
        bool inProcess,
        params (string Name, string Value)[] settings
    )
    {
        var ports = new ServicePorts(FreePort.Next(), FreePort.Next(), daprHttpPort, daprGrpcPort);
        (string, string)[] all = [.. Settings(database, ports), .. settings];
        RunningService service =
            inProcess && settings.All(setting => setting.Name != Failpoints)
                ? await ServiceInProcess.BeginAsync(assemblyPath, ports, all)
                : ServiceProcess.Begin(assemblyPath, ports, all);
        await Eventually.TrueAsync(service.IsReadyAsync, StartLimit, () => service.Output);
        return service;
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>Why it runs no more, if it does not.</summary>
    private protected abstract string? Ended { get; }

    private protected static string NameOf(string assemblyPath) =>
        Path.GetFileNameWithoutExtension(assemblyPath)
            .Replace("LocalPlus.", "", StringComparison.Ordinal)
            .ToLowerInvariant();

    private protected void Append(string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }

    private protected void HangUp()
    {
        Public.Dispose();
        App.Dispose();
    }

    private async Task<bool> IsReadyAsync()
    {
        if (Ended is { } why)
        {
            throw new InvalidOperationException($"The service ended with {why}:\n{Output}");
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

    private static (string Name, string Value)[] Settings(TestDatabase database, ServicePorts ports) =>
        [
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            ("LP_PUBLIC_PORT", $"{ports.Public}"),
            ("APP_PORT", $"{ports.App}"),
            ("DAPR_HTTP_PORT", $"{ports.DaprHttp}"),
            ("DAPR_GRPC_PORT", $"{ports.DaprGrpc}"),
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
        ];
}

/// <summary>Where a service listens, and where its sidecar does.</summary>
internal sealed record ServicePorts(int Public, int App, int DaprHttp, int DaprGrpc);
