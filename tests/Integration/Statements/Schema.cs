using System.Data;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Statements;

/// <summary>A migrated database that statements are prepared on; nothing is executed.</summary>
internal sealed partial class Schema : IAsyncDisposable
{
    private const string Unknown = "unknown";
    private const int MostGuessed = 3;

    private static readonly string[] Inconclusive =
    [
        PostgresErrorCodes.AmbiguousFunction,
        PostgresErrorCodes.AmbiguousParameter,
        PostgresErrorCodes.DatatypeMismatch,
        PostgresErrorCodes.IndeterminateDatatype,
        PostgresErrorCodes.InvalidTextRepresentation,
        PostgresErrorCodes.UndefinedFunction,
        PostgresErrorCodes.WrongObjectType,
    ];

    private static readonly string[] Candidates =
    [
        Unknown,
        "uuid[]",
        "text[]",
        "bigint[]",
        "integer[]",
        "smallint[]",
        "boolean[]",
        "timestamptz[]",
        "timestamptz",
        "interval",
    ];

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlConnection connection;
    private readonly (string Table, string Name, string Type, bool NotNull)[] columns;

    private Schema(
        NpgsqlDataSource source,
        NpgsqlConnection connection,
        (string Table, string Name, string Type, bool NotNull)[] columns
    ) => (this.source, this.connection, this.columns) = (source, connection, columns);

    public static async Task<Schema> OpenAsync(string connectionString)
    {
        var source = NpgsqlDataSource.Create(connectionString);
        var connection = await source.OpenConnectionAsync();
        var columns = new List<(string Table, string Name, string Type, bool NotNull)>();
        await using var command = new NpgsqlCommand(
            """
            SELECT relname, attname, format_type(atttypid, NULL), attnotnull
              FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN (
                  'r', 'p') AND c.relnamespace = 'public'::regnamespace
             WHERE attnum > 0
            """,
            connection
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            columns.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3)));
        }

        return new Schema(source, connection, [.. columns]);
    }

    /// <summary>Prepares a statement as PostgreSQL reads it and says what it gives.</summary>
    /// <exception cref="PostgresException">It does not hold on this schema.</exception>
    public async Task<Column[]> DescribeAsync(string text, string[] parameters)
    {
        var types = await PrepareAsync(text, parameters);
        await using var command = new NpgsqlCommand(text, connection);
        foreach (var type in types)
        {
            command.Parameters.Add(new NpgsqlParameter { DataTypeName = type, Value = DBNull.Value });
        }

        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SchemaOnly);
        return
        [
            .. Enumerable
                .Range(0, reader.FieldCount)
                .Select(i => new Column(reader.GetName(i), reader.GetFieldType(i), MayBeNull(text, reader.GetName(i)))),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await source.DisposeAsync();
    }

    /// <summary>
    /// A parameter's type is what the server concludes. Where it cannot (an array that is unfolded, an instant less a
    /// time), it is that of the column of the statement's tables that it is named after, or an instant's when it is
    /// named like one, or else any with which the statement holds.
    /// </summary>
    private async Task<string[]> PrepareAsync(string text, string[] parameters)
    {
        var arrays = Unfolded(text, parameters);
        string[] known = [.. parameters.Select((_, i) => arrays.GetValueOrDefault(i) ?? Unknown)];
        string[] named =
        [
            .. known.Select((type, i) => type == Unknown ? TypeOf(text, Snake(parameters[i])) ?? Unknown : type),
        ];
        PostgresException? first = null;
        int[] unclear = [.. Enumerable.Range(0, named.Length).Where(i => named[i] == Unknown)];
        int[] unfolded = [.. unclear.Where(arrays.ContainsKey)];
        foreach (var types in Guesses(named, unfolded.Length > 0 ? unfolded : unclear).Prepend(named).Prepend(known))
        {
            try
            {
                return await PrepareAsync(text, types, parameters.Length);
            }
            catch (PostgresException e) when (Inconclusive.Contains(e.SqlState))
            {
                first ??= e;
            }
        }

        throw first!;
    }

    /// <summary>All choices for up to a few parameters of which nothing is known.</summary>
    private static IEnumerable<string[]> Guesses(string[] types, int[] open)
    {
        if (open.Length > MostGuessed)
        {
            yield break;
        }

        for (var choice = 0; choice < Math.Pow(Candidates.Length, open.Length); choice++)
        {
            var (guess, rest) = (types.ToArray(), choice);
            foreach (var position in open)
            {
                (rest, var candidate) = Math.DivRem(rest, Candidates.Length);
                guess[position] = Candidates[candidate];
            }

            yield return guess;
        }
    }

    private async Task<string[]> PrepareAsync(string text, string[] types, int count)
    {
        var list = count == 0 ? "" : $"({string.Join(", ", types)})";
        await ExecuteAsync($"PREPARE gate {list} AS {text}");
        await using var command = new NpgsqlCommand(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'gate'",
            connection
        );
        var concluded = (string[])(await command.ExecuteScalarAsync())!;
        await ExecuteAsync("DEALLOCATE gate");
        return concluded;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// The types of parameters that are unfolded into columns, of an alias or of an insert: arrays of what those
    /// columns are.
    /// </summary>
    private Dictionary<int, string?> Unfolded(string text, string[] parameters)
    {
        var types = new Dictionary<int, string?>();
        foreach (Match match in Unnest().Matches(text))
        {
            var arguments = match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries);
            var list = match.Groups[2].Success ? match : Inserted().Match(text[..match.Index]);
            var names = list.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries);
            foreach (var (argument, i) in arguments.Select((argument, i) => (argument, i)))
            {
                if (Bare().Match(argument) is { Success: true } bare)
                {
                    var position = int.Parse(bare.Groups[1].ValueSpan) - 1;
                    var type =
                        (i < names.Length ? TypeOf(text, names[i]) : null)
                        ?? TypeOf(text, Singular(Snake(parameters[position])));
                    types[position] = type is null ? null : $"{type}[]";
                }
            }
        }

        return types;
    }

    private bool MayBeNull(string text, string column)
    {
        var known = Named(text, column).ToArray();
        return known.Length > 0 && !known.Any(c => c.NotNull);
    }

    /// <summary>The columns of that name in the tables that a statement names.</summary>
    private IEnumerable<(string Table, string Name, string Type, bool NotNull)> Named(string text, string column) =>
        columns.Where(c => c.Name == column && Regex.IsMatch(text, $@"\b{c.Table}\b"));

    private string? TypeOf(string text, string column)
    {
        var types = Named(text, column).Select(c => c.Type);
        return types.Distinct().ToArray() is [var only] ? only
            : Instant().IsMatch(column) ? "timestamptz"
            : null;
    }

    private static string Singular(string name) => Plural().Replace(name, "");

    private static string Snake(string name)
    {
        var snake = new StringBuilder();
        foreach (var letter in name)
        {
            snake.Append(char.IsUpper(letter) && snake.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(letter));
        }

        return snake.ToString();
    }

    [GeneratedRegex(@"unnest\(([^()]*)\)(?:\s*WITH ORDINALITY)?(?:\s*AS\s+\w+\s*\(([^()]*)\))?")]
    private static partial Regex Unnest();

    /// <summary>Columns that are filled with all that is unfolded, in their order.</summary>
    [GeneratedRegex(@"INSERT INTO (\w+)(?: AS \w+)?\s*\(([^()]*)\)\s*SELECT \*[^()]*FROM $")]
    private static partial Regex Inserted();

    [GeneratedRegex("(?<=s)es$|s$")]
    private static partial Regex Plural();

    [GeneratedRegex("(^|_)(at|now|from|to|before|since|until|lease)$")]
    private static partial Regex Instant();

    [GeneratedRegex(@"^\$(\d+)$")]
    private static partial Regex Bare();
}
