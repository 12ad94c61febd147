using System.Text.RegularExpressions;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// docs/tutorial.md, pasted into one shell from its second block to the last but one: the stack runs already, and goes
/// on.
/// </summary>
[Collection(StackTests.Name)]
public sealed partial class TutorialTests(StackFixture stack)
{
    private const string NextBlock = "----- next block";

    [Fact]
    public async Task Every_command_of_the_tutorial_does_what_is_said_of_it()
    {
        var tutorial = await File.ReadAllTextAsync(Path.Combine(CommandLine.Root, "docs", "tutorial.md"));
        var blocks = Block().Matches(tutorial).Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal("./localplus up\n", blocks[0]);
        Assert.Equal("./localplus down\n", blocks[^1]);

        // Other tests of this stack kill its parts, and a reader of the tutorial has just seen `up` call it healthy.
        await stack.LocalPlus.HealthyAsync();
        var (exitCode, output, _) = await stack.LocalPlus.PasteAsync(
            string.Join($"\necho; echo '{NextBlock}'\n", blocks[1..^1])
        );

        var said = output.Split(NextBlock);
        Assert.True(exitCode == 0, $"The shell ended with {exitCode}:\n{output}");
        Assert.Equal(blocks.Length - 2, said.Length);
        Assert.Matches("^lp_[a-z0-9_]{40,}\n", said[0]);
        Assert.Contains("\"code\":", said[2], StringComparison.Ordinal);
        Assert.Contains("\"balance\":{\"amount\":5000,\"currency\":\"EUR\"}", said[2], StringComparison.Ordinal);
        Assert.Contains("\"state\":\"held\"", said[3], StringComparison.Ordinal);
        Assert.Contains("\"code\":\"insufficient_balance\"", said[4], StringComparison.Ordinal);
        Assert.Contains("\"state\":\"completed\"", said[5], StringComparison.Ordinal);
        Assert.Contains("giftcard", said[6], StringComparison.Ordinal);
        Assert.Matches(@"\n\s*0\s*\n", said[6]);
    }

    [GeneratedRegex("^```sh\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
