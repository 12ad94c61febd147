using System.Globalization;
using System.Runtime.InteropServices;

namespace LocalPlus.Cli;

/// <summary>
/// A process for good: its pid and when it started (clock ticks since boot), so that a reused pid is never taken for
/// it.
/// </summary>
internal sealed record ProcessIdentity(int Pid, long Started)
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigContinue = 18;
    public const int SigStop = 19;

    private const int StateField = 0;
    private const int GroupField = 2;
    private const int StartField = 19;

    /// <summary>Start times mean something within one run of the machine only.</summary>
    public static string Boot { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>A dead process that nobody has waited for yet is not alive.</summary>
    public bool Alive => Stat(Pid) is { } fields && fields[StateField] != "Z" && Start(fields) == Started;

    public static ProcessIdentity? Of(int pid) =>
        Stat(pid) is { } fields ? new ProcessIdentity(pid, Start(fields)) : null;

    public void Signal(int signal)
    {
        if (Alive)
        {
            _ = Kill(Pid, signal);
        }
    }

    /// <summary>As <see cref="Signal"/>, to its whole group: workers go on without a master that is stopped.</summary>
    public void SignalGroup(int signal)
    {
        if (Alive)
        {
            _ = Kill(-Pid, signal);
        }
    }

    /// <summary>
    /// Kills what is left of the process's own group: workers that outlive their master. Each of our processes leads a
    /// group, and the kernel gives a number to nobody else while a group still bears it.
    /// </summary>
    public void KillGroup()
    {
        if (Stat(Pid) is { } leader && Start(leader) != Started)
        {
            return;
        }

        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
                && Stat(pid) is { } fields
                && fields[GroupField] == Pid.ToString(CultureInfo.InvariantCulture)
                && Start(fields) >= Started
            )
            {
                _ = Kill(pid, SigKill);
            }
        }
    }

    /// <summary>The fields of /proc/PID/stat behind the name, which may itself hold blanks and brackets.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Start(string[] fields) => long.Parse(fields[StartField], CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
