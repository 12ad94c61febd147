using System.Globalization;
using LocalPlus.Sidecar.Resources;
using Npgsql;

namespace LocalPlus.Sidecar.State;

/// <summary>
/// Makes the tables of state.postgresql v2 as daprd does, and records it where daprd looks, so that either finds what
/// the other made.
/// </summary>
internal static class PostgresMigrations
{
    private const int Level = 2;

    public static async Task RunAsync(
        NpgsqlDataSource source,
        string table,
        string metadataTable,
        string key,
        CancellationToken cancel
    )
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            // Two sidecars that start together must not both create.
            await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtext($1))", cancel, metadataTable);
            await ExecuteAsync(
                connection,
                $"CREATE TABLE IF NOT EXISTS {metadataTable} (key text NOT NULL PRIMARY KEY, value text NOT NULL)",
                cancel
            );
            await using var read = new NpgsqlCommand($"SELECT value FROM {metadataTable} WHERE key = $1", connection);
            read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
            var level = await read.ExecuteScalarAsync(cancel) is string text
                ? int.Parse(text, CultureInfo.InvariantCulture)
                : 0;
            if (level < 1)
            {
                await ExecuteAsync(connection, Sql.CreateTable(table), cancel);
            }
            if (level < Level)
            {
                await ExecuteAsync(connection, Sql.AddRowId(table), cancel);
                await ExecuteAsync(
                    connection,
                    $"INSERT INTO {metadataTable} (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    cancel,
                    key,
                    Level.ToString(CultureInfo.InvariantCulture)
                );
            }
            await transaction.CommitAsync(cancel);
        }
        catch (NpgsqlException problem)
        {
            throw new ComponentException(
                $"failed to connect to the database or to prepare it: {problem.Message}",
                problem
            );
        }
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        string text,
        CancellationToken cancel,
        params string[] values
    )
    {
        await using var command = new NpgsqlCommand(text, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = value });
        }
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static class Sql
    {
        public static string CreateTable(string table) =>
            $"""
                CREATE TABLE IF NOT EXISTS {table} (
                  key text NOT NULL PRIMARY KEY,
                  value bytea NOT NULL,
                  etag uuid NOT NULL,
                  created_at timestamptz NOT NULL DEFAULT now(),
                  updated_at timestamptz,
                  expires_at timestamptz
                );
                CREATE INDEX IF NOT EXISTS {table.Replace(
                    '.',
                    '_'
                )}_expires_at_idx ON {table} (expires_at) WHERE expires_at IS NOT NULL
                """;

        public static string AddRowId(string table) =>
            $"""
                ALTER TABLE {table} ADD COLUMN IF NOT EXISTS row_id bigint GENERATED ALWAYS AS IDENTITY;
                CREATE INDEX IF NOT EXISTS {table.Replace('.', '_')}_row_id_idx ON {table} (row_id)
                """;
    }
}
