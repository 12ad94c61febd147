using System.Net.Sockets;
using Testcontainers.PostgreSql;

namespace LocalPlus.Tests.Servers;

/// <summary>
/// A PostgreSQL server for tests that ends with the test's process: a container where a container engine answers, else a
/// private process of Debian's PostgreSQL with data in a folder of its own. Nothing is written durably.
/// </summary>
public static class PostgresServer
{
    private const string Image = "postgres:15-alpine";
    private const string User = "postgres";
    private const string EngineSocket = "/var/run/docker.sock";
    private const int StartAttempts = 3;

    // PostgreSQL's name for stopping without waiting for clients is "fast", its signal SIGINT.
    private const string FastShutdown = "INT";

    private static readonly string[] NotDurable =
        ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"];

    /// <summary>Starts one and waits until it accepts connections.</summary>
    /// <param name="password">The superuser's, whose name is postgres.</param>
    /// <returns>The superuser's connection string.</returns>
    public static async Task<string> StartAsync(string password, CancellationToken cancel = default)
    {
        if (await EngineAnswersAsync(cancel))
        {
            var container = new PostgreSqlBuilder(Image).WithUsername(User).WithPassword(password).WithDatabase(User).Build();
            await container.StartAsync(cancel);
            return container.GetConnectionString();
        }

        var server = await StartProcessAsync(password, cancel);
        return $"Host=127.0.0.1;Port={server.Port};Database={User};Username={User};Password={password}";
    }

    private static async Task<bool> EngineAnswersAsync(CancellationToken cancel)
    {
        if (!File.Exists(EngineSocket))
        {
            return false;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(EngineSocket), cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<ServerProcess> StartProcessAsync(string password, CancellationToken cancel)
    {
        var binaries = Binaries();
        var template = await ClusterTemplate.GetAsync(binaries, User, password, cancel);
        for (var attempt = 1; ; attempt++)
        {
            var folder = await ServerAccount.NewFolderAsync(cancel);
            await ServerAccount.RunAsync(["cp", "-a", $"{template}/.", folder], "/", null, cancel);
            var port = Ports.Free();
            string[] command =
            [
                Path.Combine(binaries, "postgres"), "-D", folder, "-p", $"{port}", "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=", .. NotDurable,
            ];
            try
            {
                return await ServerProcess.StartAsync(
                    command, port, folder, FastShutdown, _ => Task.FromResult(IsReady(folder)), cancel);
            }
            catch (PortTakenException) when (attempt < StartAttempts)
            {
                // Somebody was quicker; another port will do.
            }
        }
    }

    // The server itself writes there that it accepts connections.
    private static bool IsReady(string folder)
    {
        var status = Path.Combine(folder, "postmaster.pid");
        return File.Exists(status) && File.ReadLines(status).LastOrDefault()?.Trim() == "ready";
    }

    private static string Binaries() =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .Order(StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin"))
            .LastOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
            ?? throw new InvalidOperationException("There is no PostgreSQL server. Install one: apt-get install postgresql-15");
}
