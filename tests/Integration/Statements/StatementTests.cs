using System.Reflection;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Statements;

/// <summary>
/// Every statement of a service holds on the schema that its migrations make, and its columns fill the row that it is
/// read
/// into. The statements are the constants of types named Sql; one that begins with no statement's first word is a piece
/// of
/// others and is checked with them. The row is the type argument of the call that is given the statement.
/// </summary>
public sealed class StatementTests
{
    public static TheoryData<string, string> Services =>
        new()
        {
            { "analytics", "LocalPlus.Analytics" },
            { "giftcard", "LocalPlus.Giftcard" },
            { "ledger", "LocalPlus.Ledger" },
            { "merchant", "LocalPlus.Merchant" },
            { "notification", "LocalPlus.Notification" },
            { "wallet", "LocalPlus.Wallet" },
        };

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Every_statement_of_a_service_holds_on_its_schema_and_fills_its_rows(
        string service,
        string assembly
    )
    {
        var code = Assembly.Load(assembly);
        Assert.NotEqual(0, await CheckAsync(service, code, code, $"services/{service}"));
    }

    [Fact]
    public async Task Every_statement_that_services_share_holds_on_the_schema_of_one() =>
        Assert.NotEqual(
            0,
            await CheckAsync(
                "merchant",
                Assembly.Load("LocalPlus.Merchant"),
                typeof(LocalPlus.Hosting.Database).Assembly,
                "services/common/LocalPlus.Hosting"
            )
        );

    [Fact]
    public async Task A_wrong_statement_and_a_wrong_row_are_found()
    {
        await using var database = await TestDatabase.CreateAsync("merchant", Assembly.Load("LocalPlus.Merchant"));
        await using var schema = await Schema.OpenAsync(database.OwnerConnectionString);
        var statement = new Statement(
            typeof(StatementTests),
            "Wrong",
            "SELECT * FROM api_keys WHERE merchant_id = @Id"
        );
        var (text, parameters) = Assert.Single(statement.Parts());

        var columns = await schema.DescribeAsync(text, parameters);

        Assert.Equal("SELECT * FROM api_keys WHERE merchant_id = $1", text);
        Assert.Single(RowShape.Faults(statement, "long", columns));
        Assert.Single(RowShape.Faults(statement, "(long A, string B)", columns));
        Assert.NotEmpty(RowShape.Faults(statement, nameof(StatementTests), columns));
        var unknown = await Assert.ThrowsAsync<PostgresException>(() =>
            schema.DescribeAsync("SELECT a FROM api_keys", [])
        );
        Assert.Equal(PostgresErrorCodes.UndefinedColumn, unknown.SqlState);
    }

    [Fact]
    public async Task A_row_whose_parts_are_not_its_columns_is_found()
    {
        await using var database = await TestDatabase.CreateAsync("merchant", Assembly.Load("LocalPlus.Merchant"));
        await using var schema = await Schema.OpenAsync(database.OwnerConnectionString);
        var columns = await schema.DescribeAsync(
            "SELECT api_key_id, name, created_at, revoked_at, expires_at FROM api_keys",
            []
        );

        Assert.Equal("", Faults<Whole>("created_at, revoked_at"));
        Assert.Equal("Short has 3 members in its parts, there are 5 columns", Faults<Short>("created_at"));
        Assert.Equal("Whole has 3 parts and is split on 1 columns", Faults<Whole>("created_at"));
        Assert.Equal(
            "Whole.Made begins with the column created_at, and is split on name",
            Faults<Whole>("name, revoked_at")
        );
        Assert.Contains("not the name of one column", Faults<Whole>("created_at, ended_at"), StringComparison.Ordinal);
        Assert.Equal(
            "Open.End begins with a member that may be null, which Dapper takes for a part that is missing",
            Faults<Open>("created_at, revoked_at")
        );
        Assert.Equal(
            "Certain.End would be missing where revoked_at is null",
            Faults<Certain>("created_at, revoked_at")
        );

        string Faults<TRow>(string splitOn) => string.Join('\n', RowShape.OfParts(typeof(TRow), splitOn, columns));
    }

    private sealed record KeyPart(Guid ApiKeyId, string Name);

    private sealed record MadePart(DateTimeOffset CreatedAt);

    private sealed record EndPart(DateTimeOffset RevokedAt, DateTimeOffset? ExpiresAt);

    private sealed record OpenEndPart(DateTimeOffset? RevokedAt, DateTimeOffset? ExpiresAt);

    private sealed record Whole(KeyPart Key, MadePart Made, EndPart? End);

    private sealed record Short(KeyPart Key, MadePart Made);

    private sealed record Open(KeyPart Key, MadePart Made, OpenEndPart? End);

    private sealed record Certain(KeyPart Key, MadePart Made, EndPart End);

    /// <summary>Returns how many statements were compared with a row.</summary>
    private static async Task<int> CheckAsync(string service, Assembly migrations, Assembly code, string folder)
    {
        await using var database = await TestDatabase.CreateAsync(service, migrations);
        await using var schema = await Schema.OpenAsync(database.OwnerConnectionString);
        var source = new SourceText(folder);
        var (faults, compared) = (new List<string>(), 0);
        foreach (var statement in Statement.Of(code).Where(s => !s.IsCommand))
        {
            foreach (var (text, parameters) in statement.Parts())
            {
                try
                {
                    var columns = await schema.DescribeAsync(text, parameters);
                    var rows = columns.Length == 0 ? [] : source.RowsOf(statement).ToArray();
                    compared += rows.Length;
                    faults.AddRange(
                        rows.SelectMany(row => RowShape.Faults(statement, row, columns))
                            .Select(fault => $"{statement}: {fault}")
                    );
                }
                catch (PostgresException e)
                {
                    faults.Add($"{statement}: {e.SqlState} {e.MessageText}\n{text}");
                }
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} statements do not hold:\n{string.Join('\n', faults)}");
        return compared;
    }
}
