using System.Globalization;
using System.Text.RegularExpressions;
using LocalPlus.Sidecar.Resources;
using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Sidecar.State;

/// <summary>state.postgresql v2: the table that daprd makes, row by row what daprd writes.</summary>
internal sealed partial class PostgresStateStore : IStateStore
{
    private static readonly TimeSpan CleanupDefault = TimeSpan.FromHours(1);
    private readonly string table;
    private readonly string metadataTable;
    private readonly string migrationKey;
    private readonly TimeSpan cleanup;
    private readonly NpgsqlDataSource source;
    private readonly Statements sql;
    private readonly CancellationTokenSource closing = new();
    private Task sweeping = Task.CompletedTask;

    public PostgresStateStore(Component definition)
    {
        Definition = definition;
        var prefix = definition.Get("tablePrefix") ?? "";
        table = Identifier(prefix + "state");
        metadataTable = Identifier(definition.Get("metadataTableName") ?? "dapr_metadata");
        migrationKey = $"migrations-state-v2-{prefix}";
        cleanup = definition.Get("cleanupInterval") is { } text
            ? long.TryParse(text, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : Cli.Quantities.Duration(text)
            : CleanupDefault;
        source = NpgsqlDataSource.Create(PostgresSettings.From(definition));
        sql = new Statements(table);
    }

    public Component Definition { get; }

    public IReadOnlyList<string> Capabilities =>
        ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "KEYS_LIKE", "ACTOR"];

    public bool EscapesHtml => true;

    public async Task InitAsync(CancellationToken cancel)
    {
        await PostgresMigrations.RunAsync(source, table, metadataTable, migrationKey, cancel);
        if (cleanup > TimeSpan.Zero)
        {
            sweeping = SweepAsync();
        }
    }

    public async ValueTask<StateEntry?> GetAsync(string key, bool strong)
    {
        try
        {
            await using var command = source.CreateCommand(sql.Get);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
            await using var reader = await command.ExecuteReaderAsync(closing.Token);
            return await reader.ReadAsync(closing.Token) ? Entry(reader) : null;
        }
        catch (NpgsqlException problem)
        {
            throw Failed(problem);
        }
    }

    public async ValueTask<StateEntry?[]> GetManyAsync(IReadOnlyList<string> keys)
    {
        try
        {
            await using var command = source.CreateCommand(sql.GetMany);
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. keys] });
            await using var reader = await command.ExecuteReaderAsync(closing.Token);
            var found = new Dictionary<string, StateEntry>(StringComparer.Ordinal);
            while (await reader.ReadAsync(closing.Token))
            {
                found[reader.GetString(3)] = Entry(reader);
            }
            return [.. keys.Select(k => found.GetValueOrDefault(k))];
        }
        catch (NpgsqlException problem)
        {
            throw Failed(problem);
        }
    }

    public async ValueTask SetAsync(StateOperation operation)
    {
        var (text, parameters) = SetCommand(operation);
        try
        {
            await using var command = source.CreateCommand(text);
            command.Parameters.AddRange(parameters);
            Require(operation, await command.ExecuteNonQueryAsync(closing.Token));
        }
        catch (NpgsqlException problem)
        {
            throw Failed(problem);
        }
    }

    public async ValueTask DeleteAsync(StateOperation operation)
    {
        var (text, parameters) = DeleteCommand(operation);
        try
        {
            await using var command = source.CreateCommand(text);
            command.Parameters.AddRange(parameters);
            Require(operation with { IsDelete = true }, await command.ExecuteNonQueryAsync(closing.Token));
        }
        catch (NpgsqlException problem)
        {
            throw Failed(problem);
        }
    }

    public async ValueTask TransactAsync(IReadOnlyList<StateOperation> operations)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(closing.Token);
            await using var transaction = await connection.BeginTransactionAsync(closing.Token);
            foreach (var operation in operations)
            {
                var (text, parameters) = operation.IsDelete ? DeleteCommand(operation) : SetCommand(operation);
                await using var command = new NpgsqlCommand(text, connection, transaction);
                command.Parameters.AddRange(parameters);
                Require(operation, await command.ExecuteNonQueryAsync(closing.Token));
            }
            await transaction.CommitAsync(closing.Token);
        }
        catch (NpgsqlException problem)
        {
            throw Failed(problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await sweeping;
        await source.DisposeAsync();
        closing.Dispose();
    }

    private (string Text, NpgsqlParameter[] Parameters) SetCommand(StateOperation operation)
    {
        if (operation.Unknown is { } unknown)
        {
            throw new StateException(StateFailure.Other, unknown);
        }
        var ttl = Ttl(operation);
        var key = new NpgsqlParameter<string> { TypedValue = operation.Key };
        // An empty value is what pgx sends as NULL, which the table refuses.
        NpgsqlParameter value = operation.Value.IsEmpty
            ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea }
            : new NpgsqlParameter<ReadOnlyMemory<byte>>
            {
                TypedValue = operation.Value,
                NpgsqlDbType = NpgsqlDbType.Bytea,
            };
        NpgsqlParameter seconds = ttl is { } t
            ? new NpgsqlParameter<int> { TypedValue = t }
            : new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer };
        if (operation.HasETag)
        {
            return (
                sql.Replace,
                [key, value, seconds, new NpgsqlParameter<Guid> { TypedValue = ParseETag(operation.ETag!) }]
            );
        }
        return (
            operation.Concurrency == StateConcurrency.FirstWrite ? sql.InsertFirst : sql.Upsert,
            [key, value, seconds]
        );
    }

    private (string Text, NpgsqlParameter[] Parameters) DeleteCommand(StateOperation operation)
    {
        var key = new NpgsqlParameter<string> { TypedValue = operation.Key };
        return operation.HasETag
            ? (sql.DeleteVersion, [key, new NpgsqlParameter<Guid> { TypedValue = ParseETag(operation.ETag!) }])
            : (sql.Delete, [key]);
    }

    private static void Require(StateOperation operation, int rows)
    {
        if (rows > 0)
        {
            return;
        }
        if (operation.HasETag)
        {
            throw StateException.Mismatch();
        }
        if (!operation.IsDelete)
        {
            throw new StateException(StateFailure.Other, "no item was updated");
        }
    }

    private static StateEntry Entry(NpgsqlDataReader reader) =>
        new(
            reader.GetFieldValue<byte[]>(0),
            reader.GetGuid(1).ToString(),
            reader.IsDBNull(2)
                ? null
                : reader.GetDateTime(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        );

    private static Guid ParseETag(string text) =>
        Guid.TryParse(text, out var etag) ? etag : throw StateException.Mismatch($"invalid UUID length: {text.Length}");

    private static int? Ttl(StateOperation operation)
    {
        if (!operation.Metadata.TryGetValue("ttlInSeconds", out var text) || text.Length == 0)
        {
            return null;
        }
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            throw new StateException(
                StateFailure.Other,
                $"error parsing TTL: incorrect value for metadata 'ttlInSeconds': strconv.ParseInt: parsing \"{text}\": invalid syntax"
            );
        }
        return seconds switch
        {
            < -1 => throw new StateException(
                StateFailure.Other,
                "error parsing TTL: incorrect value for metadata 'ttlInSeconds': must be -1 or greater"
            ),
            <= 0 => null,
            _ => seconds,
        };
    }

    private static StateException Failed(NpgsqlException problem) =>
        new(
            StateFailure.Other,
            problem is PostgresException server
                ? $"ERROR: {server.MessageText} (SQLSTATE {server.SqlState})"
                : $"failed to connect: {problem.Message}",
            problem
        );

    /// <summary>Rows whose time is over stay until this removes them; reads do not see them.</summary>
    private async Task SweepAsync()
    {
        using var timer = new PeriodicTimer(cleanup);
        try
        {
            while (await timer.WaitForNextTickAsync(closing.Token))
            {
                try
                {
                    await using var command = source.CreateCommand(sql.Sweep);
                    await command.ExecuteNonQueryAsync(closing.Token);
                }
                catch (NpgsqlException)
                {
                    // The database is away; the next round finds the same rows.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The sidecar is closing.
        }
    }

    private static string Identifier(string name) =>
        IdentifierPattern().IsMatch(name) ? name : throw new ComponentException($"table name '{name}' is not valid");

    [GeneratedRegex(
        @"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex IdentifierPattern();

    /// <summary>The statements for one table. $3 is the time to live in seconds, or null.</summary>
    private sealed class Statements(string table)
    {
        private const string Expires =
            "CASE WHEN $3::int IS NULL THEN NULL ELSE now() + make_interval(secs => $3::int) END";

        public string Get { get; } =
            $"SELECT value, etag, expires_at FROM {table} WHERE key = $1 AND (expires_at IS NULL OR expires_at >= now())";

        public string GetMany { get; } =
            $"SELECT value, etag, expires_at, key FROM {table} WHERE key = ANY($1) AND (expires_at IS NULL OR expires_at >= now())";

        public string Upsert { get; } =
            $"""
                INSERT INTO {table} AS t (key, value, etag, expires_at)
                VALUES ($1, $2, gen_random_uuid(), {Expires})
                    ON CONFLICT (key)
                    DO UPDATE SET value = excluded.value, etag = excluded.etag, updated_at = now(), expires_at = excluded.expires_at
                """;

        public string InsertFirst { get; } =
            $"""
                INSERT INTO {table} AS t (key, value, etag, expires_at)
                VALUES ($1, $2, gen_random_uuid(), {Expires})
                    ON CONFLICT (key)
                    DO UPDATE SET value = excluded.value, etag = excluded.etag, updated_at = now(), expires_at = excluded.expires_at
                            WHERE t.expires_at IS NOT NULL AND t.expires_at < now()
                """;

        public string Replace { get; } =
            $"""
                UPDATE {table}
                   SET value = $2, etag = gen_random_uuid(), updated_at = now(), expires_at = {Expires}
                 WHERE key = $1 AND etag = $4 AND (expires_at IS NULL OR expires_at >= now())
                """;

        public string Delete { get; } = $"DELETE FROM {table} WHERE key = $1";

        public string DeleteVersion { get; } = $"DELETE FROM {table} WHERE key = $1 AND etag = $2";

        public string Sweep { get; } = $"DELETE FROM {table} WHERE expires_at IS NOT NULL AND expires_at < now()";
    }
}
