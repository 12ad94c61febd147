using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>The second lock (ADR 0058): statements that forgot to ask for one merchant's rows.</summary>
public sealed class RowSecurityTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private static readonly string[] Tables =
    [
        "api_keys",
        "locations",
        "merchant_versions",
        "merchants",
        "team_members",
        "terminals",
    ];

    [Fact]
    public async Task T41_without_a_condition_each_request_sees_the_rows_of_its_own_merchant()
    {
        var (mine, theirs) = (await SettledAsync(), await SettledAsync());
        await using var services = Open();
        var database = services.GetRequiredService<Database>();

        foreach (var table in Tables)
        {
            // One connection in the pool: what one flow said on it, the next one must not inherit.
            Assert.Equal([mine], await SeenAsync(database, table, mine));
            Assert.Equal([theirs], await SeenAsync(database, table, theirs));
            Assert.Superset(new HashSet<Guid> { mine, theirs }, (await SeenAsync(database, table, null)).ToHashSet());
        }
    }

    [Fact]
    public async Task T41_nothing_of_another_merchant_is_changed_or_made()
    {
        var (mine, theirs) = (await SettledAsync(), await SettledAsync());
        await using var services = Open();
        var database = services.GetRequiredService<Database>();

        var changed = await ActingForAsync(
            mine,
            async () =>
            {
                await using var db = await database.BeginAsync(default);
                var rows = await db.ExecuteAsync("UPDATE locations SET name = 'taken over'");
                await db.CommitAsync();
                return rows;
            }
        );
        Assert.Equal(1, changed);
        var made = await Assert.ThrowsAsync<PostgresException>(() =>
            ActingForAsync(
                mine,
                async () =>
                {
                    await using var db = await database.BeginAsync(default);
                    return await db.ExecuteAsync(
                        """
                        INSERT INTO locations (location_id, merchant_id, name, created_at)
                        VALUES (gen_random_uuid(), @Theirs, 'ours', now())
                        """,
                        new { Theirs = theirs }
                    );
                }
            )
        );
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, made.SqlState);
    }

    /// <summary>A merchant with a row in each table.</summary>
    private async Task<Guid> SettledAsync()
    {
        var (id, key, _) = await api.OnboardAsync();
        var merchant = MerchantId.Parse(id).Value;
        var location = await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "Quai 1" }, 201);
        await api.CallAsync(
            HttpMethod.Post,
            $"/v1/locations/{location.GetProperty("id").GetString()}/terminals",
            key,
            new { name = "Till 1" },
            201
        );
        await api.CallAsync(
            HttpMethod.Post,
            $"/ops/v1/merchants/{id}/team_members",
            api.AdminToken,
            new
            {
                name = "Olga",
                role = "owner",
                subject = Guid.CreateVersion7().ToString(),
            },
            201
        );
        return merchant;
    }

    private static Task<IReadOnlyList<Guid>> SeenAsync(Database database, string table, Guid? merchant) =>
        ActingForAsync(
            merchant,
            () => database.QueryAsync<Guid>($"SELECT DISTINCT merchant_id FROM {table}", null, default)
        );

    /// <summary>As a request on the merchant's behalf is served: what it says of itself ends with it.</summary>
    private static async Task<T> ActingForAsync<T>(Guid? merchant, Func<Task<T>> act)
    {
        if (merchant is { } one)
        {
            RowSecurity.Enter(new MerchantId(one));
        }

        return await act();
    }

    /// <summary>The database as the service has it, with one connection.</summary>
    private ServiceProvider Open()
    {
        var settings = new NpgsqlConnectionStringBuilder(api.Database.ConnectionString) { MaxPoolSize = 1 };
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:database"] = settings.ConnectionString })
            .Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<OutboxSignal>();
        services.AddLocalPlusDatabase(configuration, new ServiceIdentity("merchant", typeof(Database).Assembly));
        return services.BuildServiceProvider();
    }
}
