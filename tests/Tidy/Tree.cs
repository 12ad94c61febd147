using System.Diagnostics;

namespace LocalPlus.Tests.Tidy;

/// <summary>What people wrote: the files that git tracks or would track, read once.</summary>
internal static class Tree
{
    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> Files { get; } = ListFiles();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    /// <summary>C# files below any of the folders; all of them without folders.</summary>
    public static IEnumerable<string> Code(params string[] folders) =>
        Under(folders).Where(f => f.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<string> Under(params string[] folders) =>
        Files.Where(f =>
            folders.Length == 0 || folders.Any(folder => f.StartsWith($"{folder}/", StringComparison.Ordinal))
        );

    /// <summary>The folders of the services: a folder below services/ that has a project.</summary>
    public static string[] Services { get; } =
    [
        .. Files
            .Where(f =>
                f.StartsWith("services/", StringComparison.Ordinal) && f.EndsWith(".csproj", StringComparison.Ordinal)
            )
            .Select(f => f.Split('/')[1])
            .Where(s => s != "common")
            .Distinct()
            .Order(),
    ];

    /// <summary>Fails with the whole list of what breaks a rule.</summary>
    public static void Holds(IEnumerable<string> offences)
    {
        var list = offences.ToArray();
        Assert.True(list.Length == 0, $"{list.Length} places break this rule:\n{string.Join('\n', list)}");
    }

    /// <summary>Lines of these files that break a rule, as "path:line text".</summary>
    public static string[] Offences(IEnumerable<string> files, Func<string, bool> offends) =>
        [
            .. from file in files
            from line in Lines(file).Index()
            where offends(line.Item)
            select $"{file}:{line.Index + 1} {line.Item.Trim()}",
        ];

    private static string[] ListFiles()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        return [.. files.Where(Exists).Distinct().Order(StringComparer.Ordinal)];
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("These tests run inside a checkout.");
    }
}
