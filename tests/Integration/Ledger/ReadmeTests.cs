using System.Globalization;
using System.Text.RegularExpressions;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>The SQL in services/ledger/README.md does what it says there.</summary>
public sealed partial class ReadmeTests
{
    private const string Zeroes = "00000000-0000-0000-0000-00000000";

    [Fact]
    public async Task Every_example_in_the_README_runs_and_prints_what_it_says()
    {
        await using var database = await TestDatabase.CreateAsync("ledger", typeof(LocalPlus.Ledger.Faults).Assembly);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var ran = 0;
        foreach (var (sql, expected) in Examples())
        {
            Assert.Equal((sql, expected), (sql, await RunAsync(source, sql, expected.Length > 0)));
            ran++;
        }

        Assert.InRange(ran, 15, 40);
    }

    /// <summary>Each statement with the comment lines behind it.</summary>
    private static IEnumerable<(string Sql, string Expected)> Examples()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LocalPlus.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        var readme = File.ReadAllText(Path.Combine(folder, "services", "ledger", "README.md"))
            .Replace("…", Zeroes, StringComparison.Ordinal);
        return from Match block in Block().Matches(readme)
            from Match example in Example().Matches(block.Groups[1].Value)
            select (
                example.Groups[1].Value,
                example.Groups[2].Value.Replace("-- ", "", StringComparison.Ordinal).Trim()
            );
    }

    /// <summary>A table as text, or the error; nothing when nothing is expected.</summary>
    private static async Task<string> RunAsync(NpgsqlDataSource source, string sql, bool isTold)
    {
        try
        {
            await using var command = source.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync();
            var lines = new List<string>
            {
                string.Join(" | ", Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)),
            };
            while (await reader.ReadAsync())
            {
                lines.Add(
                    string.Join(
                        " | ",
                        Enumerable
                            .Range(0, reader.FieldCount)
                            .Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))
                    )
                );
            }

            return isTold ? string.Join('\n', lines) : "";
        }
        catch (PostgresException error) when (isTold)
        {
            return $"ERROR: {error.MessageText}";
        }
    }

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("((?:(?!-- ).+\n)*?.+;)\n((?:-- .*\n)*)")]
    private static partial Regex Example();
}
