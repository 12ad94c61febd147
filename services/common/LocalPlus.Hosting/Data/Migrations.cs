using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Runs the numbered, forward-only scripts embedded as migrations/NNNN_name.sql: first the ones every service shares,
/// then the service's own. Only the verb "migrate" does, with the credential of the schema's owner, which a process
/// that serves never has: it checks that nothing is missing (<see cref="CheckAsync"/>). One runner at a time (advisory
/// lock), each script in its own transaction, and a script that changed after it ran stops the start. "${app_role}" in
/// a script is the role the service runs as. The previous release goes on serving meanwhile: a script that does not get
/// its locks at once lets go and tries again, instead of having everybody queue up behind it. One that begins with "--
/// outside a transaction" may build an index concurrently: its statements, apart by empty lines, run one by one, so
/// each must stand being run again.
/// </summary>
internal sealed class Migrations(ServiceIdentity service, IConfiguration configuration, ILogger<Migrations> log)
{
    /// <summary>How often a script asks for its locks; then the start fails.</summary>
    internal const int Tries = 60;

    /// <summary>The argument that asks for it.</summary>
    internal const string Verb = "migrate";

    private const long LockKey = 0x4C50_4D49_4752;
    private const string Outside = "-- outside a transaction\n";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public Task RunAsync(CancellationToken cancel) => RunAsync(Scripts(), cancel);

    /// <summary>
    /// Throws when a script of this release has not run yet. Scripts of a later release do no harm: each release works
    /// on the schema of the next.
    /// </summary>
    public async Task CheckAsync(CancellationToken cancel)
    {
        // Looked at once: a pool of its own would keep the session, and with it the password, for minutes.
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(configuration.Secret("database")) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(cancel);
        var missing = await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(Sql.Exists, cancellationToken: cancel)
        )
            ? Scripts()
                .Select(s => s.Name)
                .Except(
                    await connection.QueryAsync<string>(new CommandDefinition(Sql.Names, cancellationToken: cancel)),
                    StringComparer.Ordinal
                )
                .ToArray()
            : [.. Scripts().Select(s => s.Name)];
        if (missing.Length > 0)
        {
            throw new InvalidOperationException(
                $"The schema of {service.Name} lacks {missing.Length} migrations, {missing[0]} the first: "
                    + "run this executable with 'migrate' before it serves."
            );
        }
    }

    internal async Task RunAsync(IEnumerable<(string Name, string Text)> scripts, CancellationToken cancel)
    {
        var owner = configuration.Secret("database");
        var appRole = configuration.Secret("app_role");
        // Not pooled: closing it must end the session, or the lock would stay.
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(owner) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(cancel);
        await connection.ExecuteAsync(new CommandDefinition(Sql.Lock, new { LockKey }, cancellationToken: cancel));
        await connection.ExecuteAsync(new CommandDefinition(Sql.Create, cancellationToken: cancel));
        var applied = (
            await connection.QueryAsync<(string Name, string Checksum)>(
                new CommandDefinition(Sql.Applied, cancellationToken: cancel)
            )
        ).ToDictionary(row => row.Name, row => row.Checksum, StringComparer.Ordinal);
        await connection.ExecuteAsync(new CommandDefinition(ForRole(Sql.LetCheck, appRole), cancellationToken: cancel));
        foreach (var (name, text) in scripts)
        {
            var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            if (applied.TryGetValue(name, out var known))
            {
                if (known != checksum)
                {
                    throw new InvalidOperationException(
                        $"Migration {name} was changed after it ran; add a new one instead."
                    );
                }

                continue;
            }

            await ApplyAsync(connection, name, ForRole(text, appRole), checksum, cancel);
            log.MigrationApplied(name);
        }
    }

    private async Task ApplyAsync(
        NpgsqlConnection connection,
        string name,
        string sql,
        string checksum,
        CancellationToken cancel
    )
    {
        Task ExecuteAsync(string statement, object? args = null) =>
            connection.ExecuteAsync(
                new CommandDefinition(statement, args, commandTimeout: 0, cancellationToken: cancel)
            );

        if (sql.StartsWith(Outside, StringComparison.Ordinal))
        {
            foreach (var statement in sql.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
            {
                await ExecuteAsync(statement);
            }

            await ExecuteAsync(Sql.Record, new { name, checksum });
            return;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(cancel);
                await ExecuteAsync(Sql.LockWait);
                await ExecuteAsync(sql);
                await ExecuteAsync(Sql.Record, new { name, checksum });
                await transaction.CommitAsync(cancel);
                return;
            }
            catch (PostgresException busy)
                when (busy.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < Tries)
            {
                log.MigrationWaits(name, attempt);
                await Task.Delay(Pause, cancel);
            }
        }
    }

    private static string ForRole(string sql, string role) =>
        sql.Replace(
            "${app_role}",
            '"' + role.Replace("\"", "\"\"", StringComparison.Ordinal) + '"',
            StringComparison.Ordinal
        );

    private IEnumerable<(string Name, string Text)> Scripts() =>
        Scripts(typeof(Migrations).Assembly, "shared").Concat(Scripts(service.Assembly, service.Name));

    private static IEnumerable<(string Name, string Text)> Scripts(Assembly assembly, string owner)
    {
        foreach (
            var resource in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith("migrations/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return ($"{owner}/{resource["migrations/".Length..]}", reader.ReadToEnd());
        }
    }

    private static class Sql
    {
        // Held until the connection closes; a second runner waits here.
        public const string Lock = "SELECT pg_advisory_lock(@LockKey)";

        // Whoever comes while a script waits for a lock waits behind it: this long, and no longer.
        public const string LockWait = "SET LOCAL lock_timeout = '1s'";

        public const string Create = """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name       text PRIMARY KEY,
                checksum   text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """;

        public const string Exists = "SELECT to_regclass('schema_migrations') IS NOT NULL";

        public const string Names = "SELECT name FROM schema_migrations";

        public const string LetCheck = "GRANT SELECT ON schema_migrations TO ${app_role}";

        public const string Applied = "SELECT name, checksum FROM schema_migrations";

        public const string Record = "INSERT INTO schema_migrations (name, checksum) VALUES (@Name, @Checksum)";
    }
}
