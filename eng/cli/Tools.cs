using System.Runtime.InteropServices;
using LocalPlus.Servers;

namespace LocalPlus.Cli;

/// <summary>Finds the programs that the stack leans on.</summary>
internal static class Tools
{
    /// <summary>What is tried when PATH does not name it: Debian keeps servers out of a user's PATH.</summary>
    private static readonly string[] MoreFolders =
    [
        "/usr/sbin",
        "/usr/local/sbin",
        "/sbin",
        "/usr/local/bin",
        "/usr/bin",
    ];

    /// <summary>The running dotnet, or the one in PATH when the CLI was started through its own executable.</summary>
    public static string Dotnet =>
        Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : Find("dotnet") ?? "dotnet";

    /// <summary>
    /// Where the running .NET is installed: programs that are started by their own name look for it there.
    /// </summary>
    public static string DotnetRoot =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Concat(MoreFolders)
            .Where(f => f.Length > 0)
            .Select(f => Path.Combine(f, name))
            .FirstOrDefault(File.Exists);

    public static string Must(string name) =>
        Find(name) ?? throw new CliFailure(ExitCodes.NotFound, $"{name} is not installed", "./localplus doctor --fix");

    public static string Postgres(string name) =>
        PostgresPrograms.Find(name)
        ?? throw new CliFailure(
            ExitCodes.NotFound,
            $"PostgreSQL {PostgresPrograms.OldestVersion} or later is not installed",
            "./localplus doctor --fix"
        );
}
