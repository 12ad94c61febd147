using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>
/// The previous release serves while a script runs and after it, and may come back. So a script adds; what it takes
/// away, renames or rewrites would break the release before, and what scans a table under a lock would stop it.
/// </summary>
public partial class MigrationTests
{
    /// <summary>What the first release brings: nobody is served on these tables yet.</summary>
    private static readonly string[] FirstRelease =
    [
        "LocalPlus.Hosting 0002",
        "analytics 0001",
        "giftcard 0010",
        "ledger 0003",
        "merchant 0001",
        "notification 0002",
        "wallet 0001",
    ];

    [Fact]
    public void Scripts_leave_the_previous_release_serving() =>
        Tree.Holds(
            from file in Tree.Under("services")
            where
                file.EndsWith(".sql", StringComparison.Ordinal)
                && file.Contains("/migrations/", StringComparison.Ordinal)
            where !IsOfFirstRelease(file)
            from offence in Offences(Tree.Read(file))
            select $"{file}: {offence}"
        );

    [Theory]
    [InlineData("ALTER TABLE accounts DROP COLUMN name;", "DROP COLUMN")]
    [InlineData("ALTER TABLE accounts RENAME COLUMN name TO title;", "RENAME")]
    [InlineData("ALTER TABLE accounts ALTER COLUMN name TYPE text;", "TYPE")]
    [InlineData("ALTER TABLE accounts ALTER COLUMN name SET NOT NULL;", "SET NOT NULL")]
    [InlineData("ALTER TABLE accounts ADD COLUMN kind text NOT NULL;", "NOT NULL without DEFAULT")]
    [InlineData("ALTER TABLE accounts ADD COLUMN made timestamptz DEFAULT clock_timestamp();", "DEFAULT that rewrites")]
    [InlineData("ALTER TABLE accounts ADD CONSTRAINT c CHECK (posted > 0);", "CONSTRAINT without NOT VALID")]
    [InlineData("CREATE INDEX ix ON accounts (name);", "INDEX without CONCURRENTLY")]
    [InlineData("UPDATE accounts SET name = '';", "UPDATE")]
    [InlineData("DROP TABLE accounts;", "DROP TABLE")]
    [InlineData("LOCK TABLE accounts;", "LOCK")]
    [InlineData("DO $$ BEGIN DROP TABLE accounts; END $$;", "DROP TABLE")]
    public void A_script_that_would_stop_it_is_found(string script, string offence) =>
        Assert.Equal([offence], Offences(script));

    [Theory]
    [InlineData("CREATE TABLE notes (note text NOT NULL); CREATE INDEX ix ON notes (note);")]
    [InlineData(
        "ALTER TABLE accounts ADD COLUMN note text; ALTER TABLE accounts ADD COLUMN kind text NOT NULL DEFAULT 'a';"
    )]
    [InlineData("ALTER TABLE accounts ADD CONSTRAINT c CHECK (posted > 0) NOT VALID;")]
    [InlineData("ALTER TABLE accounts VALIDATE CONSTRAINT c; GRANT UPDATE (name) ON accounts TO ${app_role};")]
    [InlineData("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE accounts; END $$;")]
    [InlineData("-- unused since 1.4: the column note\nALTER TABLE accounts DROP COLUMN note;")]
    [InlineData(
        "-- outside a transaction\nDROP INDEX CONCURRENTLY IF EXISTS ix;\n\nCREATE UNIQUE INDEX CONCURRENTLY ix ON accounts (name);"
    )]
    public void A_script_that_adds_is_allowed(string script) => Assert.Empty(Offences(script));

    private static bool IsOfFirstRelease(string file)
    {
        var (owner, number) = (file.Split('/')[^3], Path.GetFileName(file)[..4]);
        return FirstRelease
            .Select(last => last.Split(' '))
            .Any(last => last[0] == owner && string.CompareOrdinal(number, last[1]) <= 0);
    }

    private static IEnumerable<string> Offences(string script)
    {
        // What a function does is done when it is called, and not under the script's locks; a DO is the script.
        var sql = Body().Replace(Comment().Replace(script, ""), "");
        var made = CreatedTable().Matches(sql).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        foreach (var statement in sql.Split(';'))
        {
            if (Target().Match(statement) is { Success: true } target && made.Contains(target.Groups[1].Value))
            {
                continue;
            }

            if (
                Words().Match(statement) is { Success: true } words
                && !(IsContraction(script) && words.Value.StartsWith("DROP", StringComparison.OrdinalIgnoreCase))
            )
            {
                yield return Spaces().Replace(words.Value.Trim(), " ").ToUpperInvariant();
            }
            else if (AddsColumn().IsMatch(statement) && VolatileDefault().IsMatch(statement))
            {
                yield return "DEFAULT that rewrites";
            }
            else if (AddsColumn().IsMatch(statement) && NotNull().IsMatch(statement) && !Default().IsMatch(statement))
            {
                yield return "NOT NULL without DEFAULT";
            }
            else if (AddsConstraint().IsMatch(statement) && !NotValid().IsMatch(statement))
            {
                yield return "CONSTRAINT without NOT VALID";
            }
            else if (CreatesIndex().IsMatch(statement) && !Concurrently().IsMatch(statement))
            {
                yield return "INDEX without CONCURRENTLY";
            }
        }
    }

    /// <summary>
    /// The last step of add, fill, use, drop: it says which release was the last to use what it drops.
    /// </summary>
    private static bool IsContraction(string script) => script.StartsWith("-- unused since ", StringComparison.Ordinal);

    [GeneratedRegex(@"(?is)(?<=\bCREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\b(?:(?!\$\$).)*)\$\$.*?\$\$")]
    private static partial Regex Body();

    [GeneratedRegex("--.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"(?i)\bCREATE\s+TABLE\s+(\w+)")]
    private static partial Regex CreatedTable();

    [GeneratedRegex(@"(?i)\b(?:ON|TABLE|UPDATE|FROM)\s+(\w+)")]
    private static partial Regex Target();

    [GeneratedRegex(
        @"(?i)\bDROP\s+(?:TABLE|COLUMN)\b|\bRENAME\b|(?<=ALTER\s+COLUMN\s+\w+\s+)TYPE\b|\bSET\s+NOT\s+NULL\b|(?<=^\s*)(?:UPDATE|DELETE|LOCK|TRUNCATE)\b"
    )]
    private static partial Regex Words();

    [GeneratedRegex(@"(?i)\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"(?i)\bADD\s+COLUMN\b")]
    private static partial Regex AddsColumn();

    [GeneratedRegex(@"(?i)\bDEFAULT\s+(?:clock_timestamp|gen_random_uuid|random|nextval)\b")]
    private static partial Regex VolatileDefault();

    [GeneratedRegex(@"(?i)\bNOT\s+NULL\b")]
    private static partial Regex NotNull();

    [GeneratedRegex(@"(?i)\bDEFAULT\b")]
    private static partial Regex Default();

    [GeneratedRegex(@"(?i)\bADD\s+CONSTRAINT\b")]
    private static partial Regex AddsConstraint();

    [GeneratedRegex(@"(?i)\bNOT\s+VALID\b")]
    private static partial Regex NotValid();

    [GeneratedRegex(@"(?i)\bCREATE\s+(?:UNIQUE\s+)?INDEX\b")]
    private static partial Regex CreatesIndex();

    [GeneratedRegex(@"(?i)\bCONCURRENTLY\b")]
    private static partial Regex Concurrently();
}
