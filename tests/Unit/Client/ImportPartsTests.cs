using System.Text;
using LocalPlus.Client;
using LocalPlus.Client.Verbs;

namespace LocalPlus.Tests.Unit.Client;

public sealed class ImportPartsTests
{
    private const int PartBytes = 1 << 20;
    private const int PartRows = 20_000;

    [Fact]
    public void Each_part_of_a_large_file_has_the_head_and_is_as_large_as_the_API_takes_it()
    {
        var rows = Enumerable.Range(0, 30_000).Select(i => $"CODE{i:00000000},25.00,{new string('x', 40)}\n").ToArray();

        var parts = ImportParts.Split("code,balance,name\n" + string.Concat(rows), isCsv: true);

        Assert.All(parts, part => Assert.StartsWith("code,balance,name\n", part, StringComparison.Ordinal));
        Assert.All(parts, part => Assert.InRange(Encoding.UTF8.GetByteCount(part), 1, PartBytes));
        Assert.Equal(rows, parts.SelectMany(part => part.Split('\n').Skip(1).SkipLast(1)).Select(row => $"{row}\n"));
    }

    [Fact]
    public void A_part_has_no_more_rows_than_the_API_takes() =>
        Assert.Equal(
            [PartRows, 1],
            ImportParts
                .Split(string.Concat(Enumerable.Repeat("{}\n", PartRows + 1)), isCsv: false)
                .Select(part => part.Count(c => c == '\n'))
        );

    [Fact]
    public void A_line_end_within_quotes_ends_no_row()
    {
        var rows = Enumerable.Repeat("\"a\nb\",1\n", PartRows + 1);

        var parts = ImportParts.Split("name,balance\n" + string.Concat(rows), isCsv: true);

        Assert.Equal("name,balance\n\"a\nb\",1\n", parts[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("code,balance\n")]
    public void A_file_without_rows_is_a_usage_failure(string text)
    {
        var failure = Assert.Throws<CliFailure>(() => ImportParts.Split(text, isCsv: true));

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
    }
}
