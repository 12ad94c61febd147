using Docker.DotNet;
using DotNet.Testcontainers.Builders;
using LocalPlus.Servers;
using Testcontainers.PostgreSql;

namespace LocalPlus.Tests.Servers;

/// <summary>
/// A PostgreSQL server that many tests share and that ends with their process: a container where a container engine
/// answers and has the image, else a private process. Nothing is written durably.
/// </summary>
/// <param name="ConnectionString">The superuser's, whose name is postgres.</param>
/// <param name="Origin">Which of the two it is, and why.</param>
public sealed record SharedPostgres(string ConnectionString, string Origin)
{
    private const string Image = "postgres:15-alpine";
    private const string User = "postgres";

    // The engine may have to fetch the image first.
    private static readonly TimeSpan ContainerLimit = TimeSpan.FromMinutes(3);

    /// <summary>Starts one and waits until it accepts connections.</summary>
    public static async Task<SharedPostgres> StartAsync(string password)
    {
        string refusal;
        try
        {
            return await StartContainerAsync(password);
        }
        catch (Exception e) when (e is DockerUnavailableException or DockerApiException or OperationCanceledException)
        {
            refusal = e.Message;
        }

        // Nobody disposes of it: it is everybody's until the process ends.
        var server = await PostgresServer.StartAsync(new PostgresServerSettings { Password = password });
        return new SharedPostgres(server.ConnectionString, $"a process, because no container could be had: {refusal}");
    }

    private static async Task<SharedPostgres> StartContainerAsync(string password)
    {
        using var limit = new CancellationTokenSource(ContainerLimit);
        var container = new PostgreSqlBuilder(Image)
            .WithUsername(User)
            .WithPassword(password)
            .WithDatabase(User)
            .Build();
        await container.StartAsync(limit.Token);
        return new SharedPostgres(container.GetConnectionString(), $"a container of {Image}");
    }
}
