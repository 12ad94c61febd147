namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// The demo's story through gateway, sidecars and workflow; its own checks decide, and a kill is part of it.
/// </summary>
[Collection(StackTests.Name)]
public sealed class StoryTests(StackFixture stack)
{
    [Theory]
    [InlineData("giftcard")]
    [InlineData("sidecar")]
    public Task A_gift_card_is_sold_and_redeemed_exactly_once_whatever_is_killed(string victim) => ToldAsync(victim);

    [Theory]
    [InlineData("ledger")]
    [InlineData("valkey")]
    [Trait("Run", "named")]
    public Task It_is_whatever_else_is_killed(string victim) => ToldAsync(victim);

    private async Task ToldAsync(string victim)
    {
        var told = await stack.LocalPlus.MustAsync("demo", "--break", victim);

        Assert.Contains("nothing lost, nothing doubled", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_up_changes_nothing()
    {
        var before = stack.LocalPlus.Pids.ToList();

        var told = await stack.LocalPlus.MustAsync("up", "--no-build", "--otlp", stack.Collector.Address.ToString());

        Assert.Equal(before, stack.LocalPlus.Pids);
        Assert.Contains(stack.ApiKey, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rebuilt_machine_state_is_healthy_in_the_status_table()
    {
        var status = await stack.LocalPlus.MustAsync("status");

        Assert.All(
            [
                "postgres",
                "valkey",
                "smtp",
                "gateway",
                "sidecar",
                "ledger",
                "wallet",
                "merchant",
                "giftcard",
                "notification",
                "analytics",
            ],
            name => Assert.Matches($@"(?m)^{name} .* ok$", status)
        );
    }
}
