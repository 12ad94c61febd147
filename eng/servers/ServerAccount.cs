using System.Diagnostics;
using System.Globalization;

namespace LocalPlus.Servers;

/// <summary>What a command printed and how it ended.</summary>
internal readonly record struct ExecResult(string Stdout, string Stderr, int ExitCode);

/// <summary>
/// The account that servers run under: one's own, or that of Debian's PostgreSQL when one is root, because PostgreSQL
/// refuses to run as root.
/// </summary>
public static class ServerAccount
{
    /// <summary>Who runs the servers of a user who is root.</summary>
    public const string Unprivileged = "postgres";

    private const int DacOverride = 1;

    /// <summary>Where servers that end with their process keep their data, and a template of it.</summary>
    internal static string Root { get; } =
        Path.Combine(
            Path.GetTempPath(),
            $"localplus-servers-{(Environment.IsPrivilegedProcess ? Unprivileged : Environment.UserName)}"
        );

    /// <summary>The command line that runs a program under this account.</summary>
    /// <param name="passesFolders">Whether it may pass folders that only its starter may enter, where that can be
    /// granted.</param>
    public static string[] Command(string program, IEnumerable<string> arguments, bool passesFolders = false)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return [program, .. arguments];
        }

        string[] pass =
            passesFolders && MayGrant(DacOverride) ? ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] : [];
        return ["setpriv", .. Identity(), .. pass, "--", program, .. arguments];
    }

    /// <summary>A folder for one server. Those of processes that are gone go first.</summary>
    internal static async Task<string> NewFolderAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Root, $"{Environment.ProcessId}-{Path.GetRandomFileName()}");
        await RunAsync(["mkdir", "-p", "-m", "700", Root, folder], cancel);
        foreach (var other in Directory.EnumerateDirectories(Root))
        {
            if (
                int.TryParse(Path.GetFileName(other).Split('-')[0], out var owner)
                && !Directory.Exists($"/proc/{owner}")
            )
            {
                await LimitedDisk.UnmountAsync(other, cancel);

                // Another process may be clearing up as well; what it leaves, the next one takes.
                await TryRunAsync(["rm", "-rf", other], null, cancel);
            }
        }

        return folder;
    }

    /// <summary>A command of this account that the kernel sends a signal when the starting thread ends.</summary>
    internal static ProcessStartInfo StartInfo(string signalOfDeath, string[] command, string workingFolder)
    {
        string[] identity = Environment.IsPrivilegedProcess ? Identity() : [];
        return Redirected(["setpriv", .. identity, "--pdeathsig", signalOfDeath, "--", .. command], workingFolder);
    }

    /// <summary>Runs a command to its end; failing is an exception with what it printed.</summary>
    internal static Task<string> RunAsync(string[] command, CancellationToken cancel) =>
        RunAsync(command, null, cancel);

    internal static async Task<string> RunAsync(string[] command, string? input, CancellationToken cancel)
    {
        var result = await TryRunAsync(command, input, cancel);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new InvalidOperationException(
                $"{command[0]} ended with exit code {result.ExitCode}:\n{result.Stdout}{result.Stderr}"
            );
    }

    internal static Task<ExecResult> TryRunAsync(string[] command, string? input, CancellationToken cancel) =>
        EndAsync(Redirected(Command(command[0], command[1..]), "/"), input, cancel);

    /// <summary>The same as the starting user, who may be root.</summary>
    internal static Task<ExecResult> TryRunAsStarterAsync(string[] command, CancellationToken cancel) =>
        EndAsync(Redirected(command, "/"), null, cancel);

    private static async Task<ExecResult> EndAsync(ProcessStartInfo info, string? input, CancellationToken cancel)
    {
        using var process = Process.Start(info)!;
        await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
        process.StandardInput.Close();
        var stdout = process.StandardOutput.ReadToEndAsync(cancel);
        var stderr = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return new ExecResult(await stdout, await stderr, process.ExitCode);
    }

    private static ProcessStartInfo Redirected(string[] command, string workingFolder) =>
        new(command[0], command[1..])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingFolder,
        };

    private static string[] Identity() => [$"--reuid={Unprivileged}", $"--regid={Unprivileged}", "--clear-groups"];

    private static bool MayGrant(int capability)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapPrm:", StringComparison.Ordinal));
        var permitted = ulong.Parse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (permitted & (1UL << capability)) != 0;
    }
}
