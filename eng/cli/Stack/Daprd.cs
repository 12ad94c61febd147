using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// Which executable is the sidecar of every app: daprd, wherever it is, or the stand-in. Without a path the stand-in
/// hosts all sidecars in one process, which suits small machines; with one, each app has a process of its own, whoever
/// made it.
/// </summary>
internal static class Daprd
{
    /// <summary>Says that the stand-in is wanted although daprd could be found.</summary>
    public const string StandIn = "stand-in";

    public static readonly Option<string> Option = Verbs.Text(
        "--daprd",
        $"the sidecar's executable, one process an app; without it the one in PATH or ~/.dapr/bin, else the {StandIn}",
        $"PATH|{StandIn}"
    );

    /// <summary>Where `dapr init` puts executables.</summary>
    private static string InitFolder =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".dapr", "bin");

    /// <summary>The executable to run for each app, or null for the stand-in in one process.</summary>
    public static string? Choose(string? wanted)
    {
        if (wanted is null)
        {
            return Tools.Find("daprd") ?? Existing(Path.Combine(InitFolder, "daprd"));
        }

        return wanted == StandIn
            ? null
            : Existing(Path.GetFullPath(wanted))
                ?? throw new CliFailure(
                    ExitCodes.NotFound,
                    $"there is no daprd at {wanted}",
                    $"name an executable, or: up --daprd {StandIn}"
                );
    }

    /// <summary>The stand-in is a .NET program: its assembly lies beside its executable.</summary>
    public static bool IsStandIn(string daprd) => File.Exists(Path.ChangeExtension(daprd, ".dll"));

    /// <summary>
    /// placement or scheduler, which came with that daprd or with `dapr init`; null when neither brought it.
    /// </summary>
    public static string? Companion(string daprd, string name) =>
        Existing(Path.Combine(Path.GetDirectoryName(daprd)!, name))
        ?? (IsStandIn(daprd) ? null : Existing(Path.Combine(InitFolder, name)));

    private static string? Existing(string path) => File.Exists(path) ? path : null;
}
