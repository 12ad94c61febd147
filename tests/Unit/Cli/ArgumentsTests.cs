using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class ArgumentsTests
{
    private static readonly Verb Verb = new("shout", "", "", _ => Task.FromResult(0)) { Flags = ["--loud"], Options = ["--at", "-n"] };

    [Fact]
    public void Words_flags_and_options_are_told_apart()
    {
        var arguments = Arguments.Parse(Verb, ["hello", "--loud", "--at", "noon", "-n=3", "world"]);

        Assert.Equal(["hello", "world"], arguments.Positions);
        Assert.True(arguments.Has("--loud"));
        Assert.Equal("noon", arguments.Option("--at"));
        Assert.Equal("3", arguments.Option("-n"));
        Assert.Null(arguments.Option("--loud"));
    }

    [Theory]
    [InlineData("--quiet")]
    [InlineData("--at")]
    [InlineData("--loud=yes")]
    public void What_the_verb_does_not_know_is_a_usage_failure(string word)
    {
        var failure = Assert.Throws<CliFailure>(() => Arguments.Parse(Verb, [word]));

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
        Assert.Equal("./localplus help shout", failure.Next);
    }
}
