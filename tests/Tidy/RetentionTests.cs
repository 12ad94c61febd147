using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>docs/reference/retention.md is where one looks: no table forgets without a line there.</summary>
public partial class RetentionTests
{
    private const string Reference = "docs/reference/retention.md";

    [Fact]
    public void Tables_of_days_have_their_days_in_the_reference()
    {
        var rows = Rows();
        var made = (
            from file in Tree.Under("services")
            where file.EndsWith(".sql", StringComparison.Ordinal)
            from Match table in TableOfDays().Matches(Tree.Read(file))
            select (Table: table.Groups[1].Value, Days: table.Groups[2].Value)
        ).ToArray();

        Assert.NotEmpty(made);
        Tree.Holds(
            made.Where(table => rows.GetValueOrDefault(table.Table) != table.Days)
                .Select(table => $"{Reference}: {table.Table} is kept for {table.Days} days")
        );
    }

    [Fact]
    public void What_is_cleaned_up_is_in_the_reference()
    {
        var rows = Rows();
        var cleaned = (
            from file in Tree.Code("services")
            from Match chore in Chore().Matches(Tree.Read(file))
            select chore.Groups[1].Value
        ).ToArray();

        Assert.Contains("sealed_answers", cleaned);
        Assert.Contains("code_misses", cleaned);
        Tree.Holds(
            cleaned.Where(table => !rows.ContainsKey(table)).Select(table => $"{Reference}: {table} is missing")
        );
    }

    [Fact]
    public void Tables_are_in_order_and_days_are_numbers()
    {
        var rows = Rows();
        Assert.Equal(rows.Keys.Order(StringComparer.Ordinal), rows.Keys);
        Assert.All(rows.Values, days => Assert.InRange(int.Parse(days, CultureInfo.InvariantCulture), 1, 366));
    }

    private static Dictionary<string, string> Rows() =>
        Row().Matches(Tree.Read(Reference)).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

    [GeneratedRegex(@"(?m)^SELECT begin_partitions\('(\w+)'.* (\d+)\);")]
    private static partial Regex TableOfDays();

    /// <summary>A chore of housekeeping, or one of giftcard's own clean-up.</summary>
    [GeneratedRegex(
        @"(?:new(?: Chore)?\(|\()""([a-z_]+)"", (?:\w+Life|SealedAnswers\.Life|Sql\.(?:Codes|Batches|Misses|Counters)),"
    )]
    private static partial Regex Chore();

    [GeneratedRegex(@"(?m)^\| ([a-z_]+) \| [a-z, ]+ \| (\d+) \|")]
    private static partial Regex Row();
}
