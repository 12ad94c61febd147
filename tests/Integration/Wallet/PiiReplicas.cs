using Dapper;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Keys;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>Replicas of the wallet over one database, each with a secret store of its own.</summary>
public sealed class PiiReplicas : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly StubSidecar sidecar;
    private readonly string firstKeys;
    private readonly List<(StubSecretStore Store, ServiceProcess Service)> replicas = [];

    private PiiReplicas(TestDatabase database, StubSidecar sidecar, string firstKeys) =>
        (this.database, this.sidecar, this.firstKeys) = (database, sidecar, firstKeys);

    public static async Task<PiiReplicas> CreateAsync(string keys) =>
        new(
            await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly),
            await StubSidecar.StartAsync(),
            keys
        );

    public async ValueTask DisposeAsync()
    {
        foreach (var (store, service) in replicas)
        {
            await service.DisposeAsync();
            await store.DisposeAsync();
        }

        await sidecar.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>One more replica, with the keys that there were at first.</summary>
    public async Task<RunningService> StartAsync()
    {
        var store = await StubSecretStore.StartAsync();
        store.Entry["database"] = database.ConnectionString;
        store.Entry["fingerprint_keys"] = $"1:{new string('f', 40)}";
        store.Entry["checkpoint_key"] = RunningService.CheckpointKey;
        store.Entry["pii_key"] = firstKeys;
        replicas.Add((store, await StartAsync(store)));
        return replicas[^1].Service;
    }

    /// <summary>The same with the keys that its store has now.</summary>
    public async Task<ServiceProcess> RestartAsync(int replica)
    {
        var (store, service) = replicas[replica];
        await service.DisposeAsync();
        replicas[replica] = (store, await StartAsync(store));
        return replicas[replica].Service;
    }

    public (MerchantId Merchant, string Key) NewMerchant()
    {
        var merchant = MerchantId.New(TimeProvider.System);
        string[] objects = ["customers", "earnings", "loyalty", "members", "privacy"];
        return (
            merchant,
            sidecar.IssueKey(merchant, [.. objects.SelectMany(o => new[] { $"{o}:read", $"{o}:write" })])
        );
    }

    /// <summary>Changes the keys in a replica's store.</summary>
    public void Put(int replica, string keys) => replicas[replica].Store.Entry["pii_key"] = keys;

    /// <summary>The same, and waits until it has taken them.</summary>
    public async Task TakeAsync(int replica, string keys)
    {
        var service = replicas[replica].Service;
        int Taken() => service.Output.Split("secrets were changed").Length;
        var before = Taken();
        Put(replica, keys);
        await Eventually.TrueAsync(() => Taken() > before, because: () => service.Output);
    }

    /// <summary>Waits until a replica says that nothing is left of a version before this one.</summary>
    public async Task AloneAsync(int replica, int version)
    {
        var service = replicas[replica].Service;
        await Eventually.TrueAsync(
            async () => await CountAsync($"pii_keys WHERE version = {version} AND finished_at IS NOT NULL") == 1,
            because: () => service.Output
        );
    }

    /// <summary>Addresses of customers that <see cref="SeedAsync"/> made.</summary>
    public static string Address(int number) => $"seeded-{number}@example.test";

    /// <summary>Customers with addresses, as a release without versions has written them.</summary>
    public async Task SeedAsync(MerchantId merchant, string key, int count)
    {
        var only = new PiiKey(key);
        var version = new PiiVersion(only, [only.FirstLookup], PiiVersion.First);
        var people = Enumerable
            .Range(0, count)
            .Select(i =>
            {
                var id = CustomerId.New(TimeProvider.System);
                var data = PersonalData.Of(Address(i), $"Name {i}");
                var (wrapped, box) = PersonalDataVault.Protect(version, id, data);
                return (Id: id.Value, Lookup: version.Email(merchant, data.Email)!.Newest, Wrapped: wrapped, Box: box);
            })
            .ToArray();
        await using var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        await connection.ExecuteAsync(
            """
            INSERT INTO customers (customer_id, merchant_id, email_lookup, lookups_made, personal_data, locale, version,
                   created_at)
            SELECT n.id, @Merchant, n.lookup, 2, n.box, 'en', 1, now()
              FROM unnest(@Ids::uuid[], @Lookups::bytea[], @Boxes::bytea[]) AS n (id, lookup, box);
            INSERT INTO subject_keys (customer_id, wrapped_key, created_at)
            SELECT n.id, n.wrapped, now()
              FROM unnest(@Ids::uuid[], @Wrapped::bytea[]) AS n (id, wrapped)
            """,
            new
            {
                Merchant = merchant.Value,
                Ids = people.Select(p => p.Id).ToArray(),
                Lookups = people.Select(p => p.Lookup).ToArray(),
                Boxes = people.Select(p => p.Box).ToArray(),
                Wrapped = people.Select(p => p.Wrapped).ToArray(),
            }
        );
    }

    public Task<long> CountAsync(string rows) => ReadAsync<long>($"SELECT count(*) FROM {rows}");

    /// <summary>How many keys and hashes say this version, or none where it is the first.</summary>
    public Task<long> OldAsync(int version) =>
        ReadAsync<long>(
            $"""
            SELECT count(*)
              FROM (SELECT email_lookup AS value FROM customers
                    UNION ALL SELECT phone_lookup FROM customers
                    UNION ALL SELECT email_lookup FROM members
                    UNION ALL SELECT phone_lookup FROM members
                    UNION ALL SELECT code_lookup FROM loyalty_vouchers
                    UNION ALL SELECT wrapped_key FROM subject_keys) v
             WHERE CASE WHEN octet_length(value) IN (32, 60) THEN 1 ELSE get_byte(value, octet_length(value) - 1) END
                   = {version}
            """
        );

    internal async Task<IEnumerable<(CustomerId Subject, byte[] Wrapped)>> WrappedKeysAsync()
    {
        await using var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        var rows = await connection.QueryAsync<(Guid Id, byte[] Key)>(
            "SELECT customer_id, wrapped_key FROM subject_keys"
        );
        return [.. rows.Select(row => (CustomerId.From(row.Id), row.Key))];
    }

    /// <summary>Somebody is at every row of a table until this is disposed of.</summary>
    internal async Task<IAsyncDisposable> LockAsync(string table)
    {
        var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        await connection.OpenAsync();
        await connection.ExecuteAsync($"BEGIN; SELECT 1 FROM {table} FOR SHARE");
        return connection;
    }

    private async Task<T> ReadAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        return (await connection.ExecuteScalarAsync<T>(sql))!;
    }

    private Task<ServiceProcess> StartAsync(StubSecretStore store) =>
        ServiceProcess.StartAsync(
            typeof(PersonalData).Assembly.Location,
            database,
            sidecar.Port,
            store.Port,
            ("Secrets__database", ""),
            ("Secrets__fingerprint_keys", ""),
            ("Secrets__checkpoint_key", ""),
            ("LP_SECRETS_SECONDS", "1")
        );
}
