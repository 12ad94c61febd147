using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public class SuitesTests
{
    /// <summary>A test that was renamed would leave the suite and nobody would see it.</summary>
    [Fact]
    public void Every_name_of_the_security_suite_is_that_of_a_test()
    {
        var texts = Directory
            .GetFiles(Path.Combine(Root(), "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .ToArray();

        Assert.NotEmpty(texts);
        Assert.All(
            Suites.Security.SelectMany(test => test.Tests),
            name =>
                Assert.Contains(
                    texts,
                    text =>
                        text.Contains($"class {name}", StringComparison.Ordinal)
                        || text.Contains($"Task {name}", StringComparison.Ordinal)
                        || text.Contains($"void {name}", StringComparison.Ordinal)
                )
        );
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
