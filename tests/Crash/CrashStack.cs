using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// A whole stack of a test's own, in a folder and on ports of its own, whose parts are killed with SIGKILL and whose
/// services have failpoints. The supervisor starts again what dies.
/// </summary>
internal sealed class CrashStack : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan HealthPoll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(2);

    private readonly string _folder;
    private readonly LocalStack _stack;
    private readonly Postgres _postgres;
    private readonly HttpClient _apps;
    private readonly Secrets _secrets;

    private CrashStack(string folder, Checkout checkout, StackState state)
    {
        _folder = folder;
        Checkout = checkout;
        Ports = state.Ports;
        _stack = new LocalStack(checkout, Ports, state.Options);
        var secrets = new Secrets(checkout);
        _postgres = new Postgres(checkout, Ports, secrets);
        _apps = new HttpClient
        {
            Timeout = CallLimit,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        _secrets = secrets;
    }

    public Checkout Checkout { get; }

    public Ports Ports { get; }

    public static Task<CrashStack> StartAsync(Checkout here, string? daprd, CancellationToken cancel) =>
        Terminal.StepAsync(
            "starting a stack to kill",
            async _ =>
            {
                var folder = Directory.CreateTempSubdirectory("localplus-crash-").FullName;
                var checkout = here with { State = Path.Combine(folder, ".localplus") };
                checkout.MakeState();
                var options = new StackOptions(
                    "Debug",
                    null,
                    BackingOnly: false,
                    Failpoints: true,
                    Daprd: Daprd.Choose(daprd)
                );
                return new CrashStack(folder, checkout, await Up.StartAsync(checkout, options, cancel));
            },
            cancel
        );

    /// <summary>Kills processes by name, all at once, and waits until they are dead; how many there were.</summary>
    public async Task<int> KillAsync(IReadOnlyCollection<string> names, CancellationToken cancel)
    {
        var running = StackState.RunningOrFail(Checkout);
        var victims = names.SelectMany(running.Named).ToList();
        victims.ForEach(v => v.Identity.Signal(ProcessIdentity.SigKill));
        while (victims.Any(v => v.Identity.Alive))
        {
            await Task.Delay(Poll, cancel);
        }

        return victims.Count;
    }

    /// <summary>
    /// Waits until everything does its work; what is wrong when it does not within the limit, else null.
    /// </summary>
    public async Task<string?> HealthyAsync(TimeSpan limit, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var troubles = await _stack.TroublesAsync(cancel);
            if (troubles.Count == 0)
            {
                return null;
            }

            if (clock.Elapsed > limit)
            {
                return string.Join("; ", troubles.Select(t => $"{t.Key}: {t.Value}"));
            }

            await Task.Delay(HealthPoll, cancel);
        }
    }

    /// <summary>
    /// Who comes to the named instant next in that service waits there until it is released, or fails.
    /// </summary>
    public async Task ArmAsync(Instant instant, CancellationToken cancel, string action = "pause")
    {
        using var answer = await AskAsync(HttpMethod.Put, instant, cancel, $"?action={action}");
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Whether somebody waits there.</summary>
    public async Task<bool> IsReachedAsync(Instant instant, CancellationToken cancel)
    {
        using var answer = await AskAsync(HttpMethod.Get, instant, cancel);
        answer.EnsureSuccessStatusCode();
        return (bool?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))?["reached"] == true;
    }

    /// <summary>A service that was killed needs no release.</summary>
    public async Task ReleaseAsync(Instant instant, CancellationToken cancel)
    {
        try
        {
            using var answer = await AskAsync(HttpMethod.Delete, instant, cancel);
        }
        catch (HttpRequestException)
        {
            // It is dead.
        }
    }

    /// <summary>What a query in a service's database says: rows are lines, columns are divided by |.</summary>
    public async Task<string> SqlAsync(string database, string sql, CancellationToken cancel)
    {
        var result = await _postgres.QueryAsync(database, sql, cancel);
        return result.ExitCode == 0
            ? result.Output.Trim()
            : throw new CliFailure(ExitCodes.Failed, $"{database}: {result.Tail(3)}", "./localplus doctor");
    }

    public async ValueTask DisposeAsync()
    {
        _apps.Dispose();
        await Leftovers.StopAsync(Checkout, CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>As the service's own sidecar would.</summary>
    private Task<HttpResponseMessage> AskAsync(
        HttpMethod method,
        Instant instant,
        CancellationToken cancel,
        string query = ""
    )
    {
        var point = $"http://127.0.0.1:{Ports.App(instant.App)}/internal/failpoints/{instant.Failpoint}{query}";
        return _apps.SendAsync(
            new HttpRequestMessage(method, point)
            {
                Version = _apps.DefaultRequestVersion,
                VersionPolicy = _apps.DefaultVersionPolicy,
                Headers = { { "dapr-api-token", _secrets.AppApiToken(instant.App) } },
            },
            cancel
        );
    }
}

/// <summary>A failpoint of a service.</summary>
internal sealed record Instant(string App, string Failpoint);
