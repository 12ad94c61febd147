using System.Diagnostics;

namespace LocalPlus.Tests.Servers;

/// <summary>What a command printed and how it ended.</summary>
internal readonly record struct ExecResult(string Stdout, string Stderr, int ExitCode);

/// <summary>
/// The account that test servers run under: one's own, or that of Debian's PostgreSQL when one is root, because
/// PostgreSQL refuses to run as root. Its files are in a folder of its own under the temporary folder.
/// </summary>
internal static class ServerAccount
{
    private const string Unprivileged = "postgres";

    /// <summary>Where the servers of this account keep their data, and a template of it.</summary>
    public static string Root { get; } = Path.Combine(
        Path.GetTempPath(), $"localplus-test-servers-{(Environment.IsPrivilegedProcess ? Unprivileged : Environment.UserName)}");

    /// <summary>A folder for one server. Folders of processes that are gone go first.</summary>
    public static async Task<string> NewFolderAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Root, $"{Environment.ProcessId}-{Path.GetRandomFileName()}");
        await RunAsync(["mkdir", "-p", "-m", "700", Root, folder], "/", null, cancel);
        foreach (var other in Directory.EnumerateDirectories(Root))
        {
            if (int.TryParse(Path.GetFileName(other).Split('-')[0], out var owner) && !Directory.Exists($"/proc/{owner}"))
            {
                await RunAsync(["rm", "-rf", other], "/", null, cancel);
            }
        }

        return folder;
    }

    public static ProcessStartInfo StartInfo(string[] privileges, string[] command, string workingFolder)
    {
        string[] account = Environment.IsPrivilegedProcess
            ? [$"--reuid={Unprivileged}", $"--regid={Unprivileged}", "--clear-groups"]
            : [];
        return new ProcessStartInfo("setpriv", [.. account, .. privileges, "--", .. command])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingFolder,
        };
    }

    /// <summary>Runs a command to its end; failing is an exception with what it printed.</summary>
    public static async Task<string> RunAsync(
        string[] command, string workingFolder, string? input, CancellationToken cancel)
    {
        var result = await TryRunAsync(command, workingFolder, input, cancel);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new InvalidOperationException(
                $"{command[0]} ended with exit code {result.ExitCode}:\n{result.Stdout}{result.Stderr}");
    }

    public static async Task<ExecResult> TryRunAsync(
        string[] command, string workingFolder, string? input, CancellationToken cancel)
    {
        using var process = Process.Start(StartInfo([], command, workingFolder))!;
        await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
        process.StandardInput.Close();
        var stdout = process.StandardOutput.ReadToEndAsync(cancel);
        var stderr = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return new ExecResult(await stdout, await stderr, process.ExitCode);
    }
}
