namespace LocalPlus.Servers;

/// <summary>Where PostgreSQL's programs are: Debian keeps one folder a version, others put them into PATH.</summary>
public static class PostgresPrograms
{
    public const int OldestVersion = 15;

    private const string Versions = "/usr/lib/postgresql";

    /// <summary>A program of the newest version that can make clusters, or null.</summary>
    public static string? Find(string name)
    {
        var debian = !Directory.Exists(Versions)
            ? []
            : Directory
                .EnumerateDirectories(Versions)
                .Select(folder =>
                    (
                        Folder: Path.Combine(folder, "bin"),
                        Version: int.TryParse(Path.GetFileName(folder), out var v) ? v : 0
                    )
                )
                .Where(v => v.Version >= OldestVersion)
                .OrderByDescending(v => v.Version)
                .Select(v => v.Folder);
        return debian
            .Concat(
                (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            )
            .Where(folder => File.Exists(Path.Combine(folder, "initdb")))
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }

    internal static string Must(string name) =>
        Find(name)
        ?? throw new InvalidOperationException(
            $"There is no PostgreSQL {OldestVersion} or later. Install one: apt-get install postgresql"
        );
}
