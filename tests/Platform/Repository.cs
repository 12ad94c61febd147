namespace LocalPlus.Tests.Platform;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string[] Services { get; } =
    [.. Directory.GetDirectories(At("services")).Select(d => Path.GetFileName(d)!).Where(n => n != "common").Order()];

    public static string[] Clouds { get; } = [.. Directory.GetDirectories(At("components/clouds")).Order()];

    public static string At(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(At(path));

    /// <summary>What people wrote in C# under a folder, without build output.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.Exists(At(folder)) ? Directory.EnumerateFiles(At(folder), "*.cs", SearchOption.AllDirectories) : [];

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("These tests run inside a checkout.");
    }
}
