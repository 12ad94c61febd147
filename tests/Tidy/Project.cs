using System.Xml.Linq;

namespace LocalPlus.Tests.Tidy;

/// <summary>What a project file leans on.</summary>
internal sealed record Project(string Path, string[] Projects, string[] Packages)
{
    public static Project[] All { get; } =
    [.. Tree.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal)).Select(Load)];

    public string Folder { get; } = System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    public bool IsTest =>
        Path.StartsWith("tests/", StringComparison.Ordinal)
        || Path.StartsWith("compat/tests/", StringComparison.Ordinal);

    public static bool IsIn(string path, string folder) => path.StartsWith($"{folder}/", StringComparison.Ordinal);

    private static Project Load(string path)
    {
        var xml = XDocument.Load(System.IO.Path.Combine(Tree.Root, path));
        var folder = System.IO.Path.GetDirectoryName(path)!;
        return new Project(
            path,
            [
                .. Includes("ProjectReference")
                    .Select(p =>
                        System.IO.Path.GetRelativePath(
                            Tree.Root,
                            System.IO.Path.GetFullPath(System.IO.Path.Combine(Tree.Root, folder, p.Replace('\\', '/')))
                        )
                    ),
            ],
            [.. Includes("PackageReference")]
        );

        IEnumerable<string> Includes(string element) =>
            xml.Descendants(element).Select(e => (string?)e.Attribute("Include")).OfType<string>();
    }
}
