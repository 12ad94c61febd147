using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Runs the numbered, forward-only scripts embedded as migrations/NNNN_name.sql: first the ones every service shares, then
/// the service's own. One runner at a time (advisory lock), each script in its own transaction, and a script that changed
/// after it ran stops the start. "${app_role}" in a script is the role the service runs as.
/// </summary>
internal sealed class Migrations(ServiceIdentity service, IConfiguration configuration, ILogger<Migrations> log)
{
    private const long LockKey = 0x4C50_4D49_4752;

    public async Task RunAsync(CancellationToken cancel)
    {
        var owner = configuration["Secrets:migrations_database"] ?? configuration.Secret("database");
        var appRole = new NpgsqlConnectionStringBuilder(configuration.Secret("database")).Username!;
        // Not pooled: closing it must end the session, or the lock would stay.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancel);
        await connection.ExecuteAsync(new CommandDefinition(Sql.Lock, new { LockKey }, cancellationToken: cancel));
        await connection.ExecuteAsync(new CommandDefinition(Sql.Create, cancellationToken: cancel));
        var applied = (await connection.QueryAsync<(string Name, string Checksum)>(new CommandDefinition(Sql.Applied, cancellationToken: cancel)))
            .ToDictionary(row => row.Name, row => row.Checksum, StringComparer.Ordinal);
        foreach (var (name, text) in Scripts(typeof(Migrations).Assembly, "shared").Concat(Scripts(service.Assembly, service.Name)))
        {
            var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            if (applied.TryGetValue(name, out var known))
            {
                if (known != checksum)
                {
                    throw new InvalidOperationException($"Migration {name} was changed after it ran; add a new one instead.");
                }

                continue;
            }

            await using var transaction = await connection.BeginTransactionAsync(cancel);
            var sql = text.Replace("${app_role}", '"' + appRole.Replace("\"", "\"\"", StringComparison.Ordinal) + '"', StringComparison.Ordinal);
            await connection.ExecuteAsync(new CommandDefinition(sql, transaction: transaction, cancellationToken: cancel));
            await connection.ExecuteAsync(new CommandDefinition(Sql.Record, new { name, checksum }, transaction, cancellationToken: cancel));
            await transaction.CommitAsync(cancel);
            log.MigrationApplied(name);
        }
    }

    private static IEnumerable<(string Name, string Text)> Scripts(Assembly assembly, string owner)
    {
        foreach (var resource in assembly.GetManifestResourceNames()
                     .Where(name => name.StartsWith("migrations/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return ($"{owner}/{resource["migrations/".Length..]}", reader.ReadToEnd());
        }
    }

    private static class Sql
    {
        // Held until the connection closes; a second runner waits here.
        public const string Lock = "SELECT pg_advisory_lock(@LockKey)";

        public const string Create = """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name       text PRIMARY KEY,
                checksum   text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """;

        public const string Applied = "SELECT name, checksum FROM schema_migrations";

        public const string Record = "INSERT INTO schema_migrations (name, checksum) VALUES (@Name, @Checksum)";
    }
}
