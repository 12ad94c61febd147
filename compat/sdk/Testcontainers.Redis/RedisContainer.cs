using System.Net.Sockets;
using DotNet.Testcontainers.Containers;

namespace Testcontainers.Redis;

/// <summary>A private Valkey or Redis server.</summary>
public sealed class RedisContainer : DockerContainer
{
    private static readonly string[] Servers = ["valkey-server", "redis-server"];

    private readonly string[] options;

    internal RedisContainer(string[] options)
        : base(RedisBuilder.RedisPort) => this.options = options;

    public string GetConnectionString() => $"{Hostname}:{GetMappedPublicPort()}";

    private protected override async Task<ServerProcess> LaunchAsync(int port, CancellationToken cancel)
    {
        var folder = await ServerAccount.NewFolderAsync(cancel);
        string[] command =
        [
            Server(), "--port", $"{port}", "--bind", Hostname, "--dir", folder, "--daemonize", "no", "--save", "",
            "--appendonly", "no", .. options,
        ];
        return await ServerProcess.StartAsync(
            command, port, folder, "TERM", stop => AnswersAsync(port, stop), cancel);
    }

    private static string Server() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => Servers.Select(server => Path.Combine(folder, server)))
            .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                "There is no Valkey or Redis server. Install one: apt-get install -t bookworm-backports valkey-server");

    // With a password the answer is an error; the server is up all the same.
    private static async Task<bool> AnswersAsync(int port, CancellationToken cancel)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, cancel);
            await using var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), cancel);
            var answer = new byte[1];
            return await stream.ReadAsync(answer, cancel) == 1 && answer[0] is (byte)'+' or (byte)'-';
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
