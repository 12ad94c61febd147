using System.Globalization;
using System.Text;
using LocalPlus.Servers;

namespace LocalPlus.Cli;

/// <summary>
/// A PostgreSQL of this checkout's own: data in the state folder, TCP on loopback only, passwords always.
/// </summary>
internal sealed class Postgres(Checkout checkout, Ports ports, Secrets secrets)
{
    public const string Superuser = "localplus";

    private static readonly TimeSpan InitLimit = TimeSpan.FromMinutes(2);

    public string Data { get; } = checkout.PostgresData;

    public ProcessSpec Spec()
    {
        string[] settings =
        [
            $"port={ports.Postgres}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=on",
            "synchronous_commit=on",
            "shared_buffers=256MB",
            "max_wal_size=2GB",
            "max_connections=700",
            "timezone=UTC",
            "log_timezone=UTC",
            "log_line_prefix=%m %d %u ",
            "log_lock_waits=on",
            "idle_in_transaction_session_timeout=60s",
        ];
        // A checkout may well lie in a folder that only root may enter.
        var command = ServerAccount.Command(
            Tools.Postgres("postgres"),
            ["-D", Data, .. settings.SelectMany(s => new[] { "-c", s })],
            passesFolders: true
        );
        return new ProcessSpec("postgres", command[0], command[1..])
        {
            WorkingDirectory = "/",
            Ports = [ports.Postgres],
            // Smart shutdown would wait for every client; fast shutdown rolls open transactions back.
            StopSignal = ProcessIdentity.SigInt,
            Prepare = PrepareAsync,
            Provision = ProvisionAsync,
            Probe = async cancel =>
                (await QueryAsync("SELECT 1", cancel)).ExitCode == 0 ? null : $"port {ports.Postgres} is not ready",
        };
    }

    public Task<CommandResult> QueryAsync(string sql, CancellationToken cancel) => QueryAsync("postgres", sql, cancel);

    /// <summary>As superuser; rows are lines, columns are divided by |.</summary>
    public Task<CommandResult> QueryAsync(string database, string sql, CancellationToken cancel) =>
        PsqlCommand(database, sql).RunAsync(cancel);

    private Command PsqlCommand(string database, string sql) =>
        new(
            Tools.Postgres("psql"),
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            $"{ports.Postgres}",
            "-U",
            Superuser,
            "-d",
            database,
            "-f",
            "-"
        )
        {
            Environment = { ["PGPASSWORD"] = secrets.PostgresPassword, ["PGCONNECT_TIMEOUT"] = "3" },
            Input = sql,
            Limit = TimeSpan.FromSeconds(30),
        };

    /// <summary>Makes the cluster beside its place and moves it there whole, so a kill leaves no half of one.</summary>
    private async Task PrepareAsync(CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(Data, "PG_VERSION")))
        {
            return;
        }

        var fresh = $"{Data}.new";
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        Directory.CreateDirectory(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var password = Path.Combine(fresh, "..", "postgres.pw");
        await File.WriteAllTextAsync(password, secrets.PostgresPassword, cancel);
        try
        {
            if (Environment.IsPrivilegedProcess)
            {
                await MustAsync(
                    new Command("chown", $"{ServerAccount.Unprivileged}:{ServerAccount.Unprivileged}", fresh, password),
                    cancel
                );
            }

            var making = PostgresCluster.MakingCommand(fresh, Superuser, password, "--data-checksums");
            var command = ServerAccount.Command(making[0], making[1..], passesFolders: true);
            await MustAsync(
                new Command(command[0], command[1..]) { WorkingDirectory = "/", Limit = InitLimit },
                cancel
            );
            Directory.Move(fresh, Data);
        }
        finally
        {
            File.Delete(password);
        }
    }

    /// <summary>
    /// One database a service, owned by the role that migrates it; the service's own role may only connect.
    /// </summary>
    private async Task ProvisionAsync(CancellationToken cancel)
    {
        var sql = new StringBuilder();
        void Role(string name, string password) =>
            sql.AppendLine(
                CultureInfo.InvariantCulture,
                $"""
                SELECT 'CREATE ROLE {name} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles
                       WHERE rolname = '{name}') \gexec
                ALTER ROLE {name} PASSWORD '{password}';
                """
            );
        void Database(string name, string owner) =>
            sql.AppendLine(
                CultureInfo.InvariantCulture,
                $"""
                SELECT 'CREATE DATABASE {name} OWNER {owner}' WHERE NOT EXISTS (SELECT FROM pg_database
                       WHERE datname = '{name}') \gexec
                REVOKE ALL ON DATABASE {name} FROM PUBLIC;
                """
            );

        foreach (var app in Checkout.Apps)
        {
            Role(app, secrets.RolePassword(app));
            Role($"{app}_owner", secrets.RolePassword($"{app}_owner"));
            Database(app, $"{app}_owner");
            sql.AppendLine(CultureInfo.InvariantCulture, $"GRANT CONNECT ON DATABASE {app} TO {app};");
        }

        Role("workflow", secrets.WorkflowPassword);
        Database("workflow", "workflow");
        await MustAsync(PsqlCommand("postgres", sql.ToString()), cancel);
    }

    private static async Task MustAsync(Command command, CancellationToken cancel)
    {
        var result = await command.RunAsync(cancel);
        if (result.ExitCode != 0)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{Path.GetFileName(command.File)} ended with {result.ExitCode}: {result.Tail(5)}",
                "./localplus doctor"
            );
        }
    }
}
