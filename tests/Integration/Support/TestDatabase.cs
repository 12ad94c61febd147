using System.Collections.Concurrent;
using System.Reflection;
using LocalPlus.Hosting;
using LocalPlus.Tests.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// A database of its own for a test class: cloned from a template that a service's real migrations made once per run,
/// on one private PostgreSQL server, with the two roles the service has everywhere.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private const string Password = "test";
    private static readonly Lazy<Task<SharedPostgres>> Server = new(() => SharedPostgres.StartAsync(Password));
    private static readonly ConcurrentDictionary<string, Lazy<Task>> Templates = new(StringComparer.Ordinal);
    private static int clones;
    private readonly string admin;
    private readonly string name;
    private readonly string service;

    private TestDatabase(string admin, string name, string service)
    {
        this.admin = admin;
        this.name = name;
        this.service = service;
        ConnectionString = For(admin, name, service);
        OwnerConnectionString = For(admin, name, $"{service}_owner");
    }

    /// <summary>As the service's own role, with the rights its migrations grant.</summary>
    public string ConnectionString { get; }

    /// <summary>As the role that owns the schema: for what a test must tamper with.</summary>
    public string OwnerConnectionString { get; }

    /// <summary>As the server's superuser: for what not even the owner may do.</summary>
    public string SuperuserConnectionString =>
        new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString;

    /// <summary>A fresh, migrated database of the service whose assembly holds the migrations.</summary>
    public static async Task<TestDatabase> CreateAsync(string service, Assembly migrations) =>
        await CreateAsync(service, migrations, (await Server.Value).ConnectionString);

    /// <summary>The same on a server of the test's own, which it may kill.</summary>
    /// <param name="service">Its roles are made.</param>
    /// <param name="migrations">The assembly that holds them.</param>
    /// <param name="admin">The server's administrator's connection string.</param>
    public static async Task<TestDatabase> CreateAsync(string service, Assembly migrations, string admin)
    {
        await Templates
            .GetOrAdd($"{admin}/{service}", _ => new Lazy<Task>(() => MakeTemplateAsync(admin, service, migrations)))
            .Value;
        var name = $"{service}_{Interlocked.Increment(ref clones)}";
        await ExecuteAsync(admin, $"CREATE DATABASE {name} TEMPLATE {service}_template OWNER {service}_owner");
        return new TestDatabase(admin, name, service);
    }

    /// <summary>Tampers with it as the role that owns the schema.</summary>
    public Task AsOwnerAsync(string sql) => ExecuteAsync(OwnerConnectionString, sql);

    /// <summary>One value, as the service's own role sees it.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A copy as it is now. Nobody may be connected to this one.</summary>
    public async Task<TestDatabase> CloneAsync()
    {
        var clone = $"{service}_{Interlocked.Increment(ref clones)}";
        await Eventually.TrueAsync(async () =>
        {
            NpgsqlConnection.ClearAllPools();
            try
            {
                await ExecuteAsync(admin, $"CREATE DATABASE {clone} TEMPLATE {name} OWNER {service}_owner");
                return true;
            }
            catch (PostgresException inUse) when (inUse.SqlState == PostgresErrorCodes.ObjectInUse)
            {
                // Whoever was there has hung up, and the server has not noticed yet.
                return false;
            }
        });
        return new TestDatabase(admin, clone, service);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync(admin, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }

    private static async Task MakeTemplateAsync(string admin, string service, Assembly migrations)
    {
        await ExecuteAsync(admin, $"CREATE ROLE {service}_owner LOGIN PASSWORD '{Password}'");
        await ExecuteAsync(admin, $"CREATE ROLE {service} LOGIN PASSWORD '{Password}'");
        await ExecuteAsync(admin, $"CREATE DATABASE {service}_template OWNER {service}_owner");
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Secrets:database"] = For(admin, $"{service}_template", $"{service}_owner"),
                    ["Secrets:app_role"] = service,
                }
            )
            .Build();
        await new Migrations(
            new ServiceIdentity(service, migrations),
            configuration,
            NullLogger<Migrations>.Instance
        ).RunAsync(default);
    }

    private static string For(string admin, string database, string role) =>
        new NpgsqlConnectionStringBuilder(admin)
        {
            Database = database,
            Username = role,
            Password = Password,
            MaxPoolSize = 50,
        }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
