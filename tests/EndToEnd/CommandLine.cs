using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>How a verb ended and what it printed, on both streams.</summary>
/// <param name="Data">What it printed on standard output alone.</param>
public sealed record Ended(int ExitCode, string Output, string Data);

/// <summary>
/// ./localplus as a process, with a state folder of its own: another set of ports, databases and mails than any stack
/// that runs in this checkout.
/// </summary>
public sealed class CommandLine : IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private readonly string _folder = Directory.CreateTempSubdirectory("localplus-e2e-").FullName;

    public static string Root { get; } = FindRoot();

    public string State => Path.Combine(_folder, ".localplus");

    /// <summary>state.json as it is now.</summary>
    public JsonNode StateFile => JsonNode.Parse(File.ReadAllText(Path.Combine(State, "state.json")))!;

    /// <summary>What is added to every port.</summary>
    public int Offset => (int)StateFile["offset"]!;

    public Uri Gateway => new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{5080 + Offset}"));

    /// <summary>The supervisor and everything it runs.</summary>
    public IEnumerable<int> Pids =>
        StateFile["processes"]!
            .AsArray()
            .Select(p => (int)p!["pid"]!)
            .Where(pid => pid > 0)
            .Append((int)StateFile["supervisor"]!);

    public Task<Ended> RunAsync(params string[] arguments) => RunAsync(_ => { }, arguments);

    /// <summary>Is told each line that it prints on standard error, as it comes.</summary>
    public Task<Ended> RunAsync(Action<string> onError, params string[] arguments)
    {
        var cli = Path.Combine(Root, "artifacts", "bin", "LocalPlus.Cli", "debug", "LocalPlus.Cli.dll");
        return EndAsync("dotnet", [cli, .. arguments], onError);
    }

    public int PidOf(string process) =>
        (int)StateFile["processes"]!.AsArray().Single(p => (string?)p!["name"] == process)!["pid"]!;

    /// <summary>Waits until `status` calls everything healthy.</summary>
    public Task HealthyAsync() => UntilAsync("all is healthy", async () => (await RunAsync("status")).ExitCode == 0);

    public async Task UntilAsync(string what, Func<Task<bool>> holds, Func<string>? because = null)
    {
        var clock = Stopwatch.StartNew();
        // What is looked at shares the machine with what it waits for.
        using var looks = new PeriodicTimer(BetweenLooks);
        while (!await holds())
        {
            if (clock.Elapsed >= Limit)
            {
                var status = (await RunAsync("status")).Output;
                Assert.Fail($"not within {Limit.TotalMinutes:0} minutes: {what} {because?.Invoke()}\n{status}");
            }

            await looks.WaitForNextTickAsync();
        }
    }

    /// <summary>
    /// Pastes commands into a shell, which ends at the first that fails. They may speak of the stack of this checkout
    /// as documents do, with its address and its folder, and mean this one.
    /// </summary>
    public Task<Ended> PasteAsync(string commands) =>
        EndAsync(
            "bash",
            [
                "-euc",
                commands
                    .Replace("http://localhost:5080", Gateway.ToString().TrimEnd('/'), StringComparison.Ordinal)
                    .Replace(" .localplus/", $" {State}/", StringComparison.Ordinal),
            ]
        );

    /// <summary>Runs it and expects success.</summary>
    public async Task<string> MustAsync(params string[] arguments)
    {
        var ended = await RunAsync(arguments);
        Assert.True(
            ended.ExitCode == 0,
            $"localplus {string.Join(' ', arguments)} ended with {ended.ExitCode}:\n{ended.Output}"
        );
        return ended.Output;
    }

    public static bool Runs(int pid)
    {
        try
        {
            // A dead child that its parent has not waited for is still listed, in state Z.
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<Ended> EndAsync(string program, string[] arguments, Action<string>? onError = null)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LP_ROOT"] = Root, ["LP_STATE_DIR"] = State },
        };
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = new System.Text.StringBuilder();
        while (await process.StandardError.ReadLineAsync(limit.Token) is { } line)
        {
            errors.Append(line).Append('\n');
            onError?.Invoke(line);
        }

        await process.WaitForExitAsync(limit.Token);
        var data = await output;
        return new Ended(process.ExitCode, data + errors, data);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run inside the checkout.");
        }

        return folder.FullName;
    }
}
