using DotNet.Testcontainers.Containers;

namespace Testcontainers.PostgreSql;

/// <summary>A private PostgreSQL server.</summary>
public sealed class PostgreSqlContainer : DockerContainer
{
    // PostgreSQL's name for stopping without waiting for clients is "fast", its signal SIGINT.
    private const string FastShutdown = "INT";

    private static readonly string[] NotDurable =
        ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"];

    private readonly PostgreSqlBuilder.Settings settings;

    internal PostgreSqlContainer(PostgreSqlBuilder.Settings settings)
        : base(PostgreSqlBuilder.PostgreSqlPort) => this.settings = settings;

    public string GetConnectionString() =>
        $"Host={Hostname};Port={GetMappedPublicPort()};Database={settings.Database};"
        + $"Username={settings.Username};Password={settings.Password}";

    /// <summary>Runs a script with psql, which stops at its first error.</summary>
    public Task<ExecResult> ExecScriptAsync(string scriptContent, CancellationToken ct = default) =>
        PsqlAsync(GetMappedPublicPort(), settings.Database, scriptContent, ct);

    private protected override async Task<ServerProcess> LaunchAsync(int port, CancellationToken cancel)
    {
        var binaries = Binaries.For(settings.Image);
        var template = await ClusterTemplate.GetAsync(binaries, settings.Username, settings.Password, cancel);
        var folder = await ServerAccount.NewFolderAsync(cancel);
        await ServerAccount.RunAsync(["cp", "-a", $"{template}/.", folder], "/", null, cancel);
        string[] command =
        [
            Path.Combine(binaries, "postgres"), "-D", folder, "-p", $"{port}", "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", .. NotDurable, .. settings.Command,
        ];
        var server = await ServerProcess.StartAsync(
            command, port, folder, FastShutdown, _ => Task.FromResult(IsReady(folder)), cancel);
        if (settings.Database != PostgreSqlBuilder.DefaultDatabase)
        {
            var name = settings.Database.Replace("\"", "\"\"", StringComparison.Ordinal);
            var created = await PsqlAsync(port, PostgreSqlBuilder.DefaultDatabase, $"CREATE DATABASE \"{name}\"", cancel);
            if (created.ExitCode != 0)
            {
                await server.StopAsync(cancel);
                throw new InvalidOperationException(created.Stderr);
            }
        }

        return server;
    }

    // The server itself writes there that it accepts connections.
    private static bool IsReady(string folder)
    {
        var status = Path.Combine(folder, "postmaster.pid");
        return File.Exists(status) && File.ReadLines(status).LastOrDefault()?.Trim() == "ready";
    }

    private Task<ExecResult> PsqlAsync(int port, string database, string script, CancellationToken cancel)
    {
        var uri = $"postgresql://{Uri.EscapeDataString(settings.Username)}:{Uri.EscapeDataString(settings.Password)}"
            + $"@{Hostname}:{port}/{Uri.EscapeDataString(database)}";
        string[] command =
            [Path.Combine(Binaries.For(settings.Image), "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", "-", uri];
        return ServerAccount.TryRunAsync(command, "/", script, cancel);
    }
}
