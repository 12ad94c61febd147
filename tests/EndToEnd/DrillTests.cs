namespace LocalPlus.Tests.EndToEnd;

/// <summary>Two of the fault drills, which are short; `./localplus test drills` runs all of them.</summary>
[Collection(StackTests.Name)]
public sealed class DrillTests(StackFixture stack)
{
    [Theory]
    [InlineData("till-gone")]
    [InlineData("ledger-silent")]
    public async Task Operators_read_the_cause_and_the_cure_of_a_fault_and_its_end_is_proved(string drill)
    {
        var told = await stack.LocalPlus.MustAsync("demo", "--break", drill);

        Assert.EndsWith("1 passed, 0 failed", told.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_drills_are_listed_with_what_breaks_and_what_ends_it()
    {
        var list = await stack.LocalPlus.MustAsync("demo", "--break", "list");

        Assert.Contains("ledger-silent", list, StringComparison.Ordinal);
        Assert.Contains("WHAT ENDS IT", list, StringComparison.Ordinal);
    }
}
