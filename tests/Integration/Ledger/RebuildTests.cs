using System.Globalization;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>`ledger rebuild`: balances from entries, and what it says when they are not what is stored.</summary>
public sealed class RebuildTests(AuditFixture books) : IClassFixture<AuditFixture>
{
    private const string Card = "(SELECT account_id FROM accounts WHERE name = 'audited')";

    [Fact]
    public async Task Untouched_books_give_their_balances()
    {
        var (exitCode, output) = await books.TamperAsync("SELECT 1", "rebuild");

        Assert.True(exitCode == 0, output);
        Assert.Contains(
            "✓ 80 entries give the balances of 2 accounts and stripes; 1 assets add up to nothing each",
            output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task As_known_at_an_earlier_time_later_damage_does_not_count()
    {
        var until = books.Halfway.ToString("O", CultureInfo.InvariantCulture);
        const string later = "UPDATE ledger_entries SET balance_after = 1 WHERE sequence = 30";
        const string earlier = "UPDATE ledger_entries SET balance_after = 1 WHERE sequence = 10";

        var untouched = await books.TamperAsync(later, "rebuild", "--until", until);
        Assert.Equal(0, untouched.ExitCode);
        Assert.Contains("✓ 40 entries give the balances of 2 accounts", untouched.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await books.TamperAsync(later, "rebuild")).ExitCode);
        Assert.Equal(1, (await books.TamperAsync(earlier, "rebuild", "--until", until)).ExitCode);
    }

    [Theory]
    [InlineData(
        $"UPDATE accounts SET posted = posted + 1 WHERE account_id = {Card}",
        "(audited) has posted 4781, its entries give 4780 EUR"
    )]
    [InlineData(
        $"UPDATE accounts SET held = 71 WHERE account_id = {Card}",
        "(audited) has held 71, its pending holds give 70 EUR"
    )]
    [InlineData("UPDATE hold_items SET held = 69", "(audited) has held 70, its pending holds give 69 EUR")]
    [InlineData(
        $"UPDATE accounts SET sequence = 41 WHERE account_id = {Card}",
        "(audited) has had 41 entries, the last one there is 40"
    )]
    [InlineData(
        $"DELETE FROM ledger_entries WHERE account_id = {Card} AND sequence = 7",
        "(audited) lacks entry 7: the next is 8"
    )]
    [InlineData(
        $"DELETE FROM ledger_entries WHERE account_id = {Card} AND sequence = 40",
        "(audited) has had 40 entries, the last one there is 39"
    )]
    [InlineData(
        $"UPDATE ledger_entries SET amount = amount + 5 WHERE account_id = {Card} AND sequence = 7",
        "by its own account"
    )]
    [InlineData(
        $"UPDATE ledger_entries SET recorded_at = '2020-01-01Z' WHERE account_id = {Card} AND sequence = 7",
        "is recorded before its predecessor"
    )]
    [InlineData($"DELETE FROM accounts WHERE account_id = {Card}", "and no account")]
    public async Task What_differs_is_named(string sql, string finding)
    {
        var (exitCode, output) = await books.TamperAsync(sql, "rebuild");

        Assert.True(exitCode == 1, output);
        Assert.Contains(finding, output, StringComparison.Ordinal);
    }
}
