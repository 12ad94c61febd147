using LocalPlus.Tests.EndToEnd;

namespace LocalPlus.Tests.Browser;

/// <summary>Pictures of pages, beside the results of the tests; those of the documents are chosen from them.</summary>
internal static class Pictures
{
    public static string At(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(CommandLine.Root, "artifacts", "tests", "console"));
        return Path.Combine(folder.FullName, $"{name}.png");
    }
}
