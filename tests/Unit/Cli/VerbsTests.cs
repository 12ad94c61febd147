using LocalPlus.Cli;
using LocalPlus.Client;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class VerbsTests
{
    [Theory]
    [InlineData("./localplus help", "fly")]
    [InlineData("./localplus help token", "token", "--role", "king")]
    [InlineData("./localplus help status", "status", "--fast")]
    [InlineData("./localplus help test", "test", "nothing")]
    [InlineData("./localplus help test", "test", "kills", "--kills", "few")]
    [InlineData("./localplus help job", "job", "run")]
    [InlineData("./localplus help verify", "verify", "receipt.json")]
    [InlineData("./localplus help listen", "listen")]
    [InlineData("./localplus help trigger", "trigger", "gift_card.sold")]
    [InlineData("./localplus help events", "events", "resend")]
    public async Task What_no_verb_understands_is_a_usage_failure_that_names_the_help(
        string next,
        params string[] words
    )
    {
        var failure = await Assert.ThrowsAsync<CliFailure>(() => Verbs.RunAsync(words, CancellationToken.None));

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
        Assert.Equal(next, failure.Next);
    }
}
