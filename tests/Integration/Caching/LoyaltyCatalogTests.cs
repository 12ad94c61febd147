using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>Lists of programmes and their rules out of caches, on three replicas of the service.</summary>
public sealed class LoyaltyCatalogTests(WalletReplicas wallets) : IClassFixture<WalletReplicas>
{
    [Fact]
    public async Task A_list_of_programmes_is_read_once_and_anew_on_every_replica_after_each_change()
    {
        var (merchant, key) = NewMerchant();
        Assert.Empty(await NamesAsync(0, key, "/v1/loyalty_programs"));
        var ids = new List<string>();
        for (var n = 1; n <= 3; n++)
        {
            var heard = wallets.HeardOf("loyalty_catalog", $"{merchant}.test");
            ids.Add(await ProgramAsync(n % 3, key, $"P{n}"));
            await Eventually.TrueAsync(() => wallets.HeardOf("loyalty_catalog", $"{merchant}.test") > heard);
            await EachAsync(replica =>
                ShowsAsync(
                    replica,
                    key,
                    "/v1/loyalty_programs",
                    [.. Enumerable.Range(1, n).Reverse().Select(i => $"P{i}")]
                )
            );
        }

        for (var n = 1; n <= 10; n++)
        {
            var heard = wallets.HeardOf("loyalty_catalog", $"{merchant}.test");
            var change = await wallets
                .All[n % 3]
                .PatchAsync($"/v1/loyalty_programs/{ids[0]}", key, n, new { name = $"Changed {n}" });
            Assert.Equal(n + 1, change.GetProperty("version").GetInt64());
            await Eventually.TrueAsync(() => wallets.HeardOf("loyalty_catalog", $"{merchant}.test") > heard);
            await EachAsync(replica => ShowsAsync(replica, key, "/v1/loyalty_programs", "P3", "P2", $"Changed {n}"));
        }

        // What it says is a copy: nobody notices that the row is another now. What is beyond the beginning is not.
        await ExecuteAsync($"UPDATE loyalty_programs SET name = 'Behind' WHERE program_id = '{Uuid(ids[0])}'");
        Assert.Contains("Changed 10", await NamesAsync(0, key, "/v1/loyalty_programs"));
        Assert.Contains("Changed 10", await NamesAsync(0, key, "/v1/loyalty_programs?limit=50"));
        Assert.Contains("Behind", await NamesAsync(0, key, "/v1/loyalty_programs?limit=51"));
        await ShowsAsync(0, key, "/v1/loyalty_programs?limit=1", "P3");
        Assert.Empty(await NamesAsync(0, NewMerchant().Key, "/v1/loyalty_programs"));
        Assert.Empty(await NamesAsync(0, Key(merchant, live: true), "/v1/loyalty_programs"));
    }

    [Fact]
    public async Task Rules_are_read_once_and_anew_on_every_replica_after_each_change()
    {
        var (_, key) = NewMerchant();
        var program = await ProgramAsync(0, key, "Points");
        var list = $"/v1/earning_rules?program_id={program}";
        Assert.Empty(await NamesAsync(1, key, list));
        var rule = await RuleAsync(2, key, program, "R1");
        // The programme is the first change, the rule the second.
        await Eventually.TrueAsync(() => wallets.HeardOf("earning_rules", program) == 2);
        await EachAsync(replica => ShowsAsync(replica, key, list, "R1"));
        for (var n = 1; n <= 10; n++)
        {
            await wallets.All[n % 3].PatchAsync($"/v1/earning_rules/{rule}", key, n, new { name = $"Changed {n}" });
            await Eventually.TrueAsync(() => wallets.HeardOf("earning_rules", program) == 2 + n);
            await EachAsync(async replica =>
            {
                await ShowsAsync(replica, key, list, $"Changed {n}");
                var one = await GetAsync(replica, key, $"/v1/earning_rules/{rule}");
                Assert.Equal($"Changed {n}", one.GetProperty("name").GetString());
                Assert.Equal(n + 1, one.GetProperty("version").GetInt64());
            });
        }

        await ExecuteAsync($"UPDATE earning_rules SET name = 'Behind' WHERE rule_id = '{Uuid(rule)}'");
        await ShowsAsync(0, key, list, "Changed 10");
        var stranger = NewMerchant().Key;
        Assert.Empty(await NamesAsync(0, stranger, list));
        await wallets.All[0].CallAsync(HttpMethod.Get, $"/v1/earning_rules/{rule}", stranger, status: 404);
        await wallets.All[0].CallAsync(HttpMethod.Get, $"/v1/earning_rules/{EarningRule()}", key, status: 404);
    }

    [Fact]
    public async Task What_a_campaign_has_spent_is_no_copy()
    {
        var (_, key) = NewMerchant();
        var program = await ProgramAsync(0, key, "Points");
        var rule = await RuleAsync(0, key, program, "Campaign", budget: 100);
        Assert.Equal(0, await SpentAsync());

        await ExecuteAsync($"UPDATE earning_rules SET budget_spent = 60 WHERE rule_id = '{Uuid(rule)}'");

        Assert.Equal(60, await SpentAsync());
        var shown = await GetAsync(1, key, $"/v1/earning_rules?program_id={program}");
        Assert.Equal(60, shown.GetProperty("data")[0].GetProperty("budget_spent").GetInt64());

        async Task<long> SpentAsync() =>
            (await GetAsync(0, key, $"/v1/earning_rules/{rule}")).GetProperty("budget_spent").GetInt64();
    }

    [Fact]
    public async Task What_a_purchase_earns_is_by_the_rules_that_the_database_has_whoever_changed_them()
    {
        var (_, key) = NewMerchant();
        var program = await ProgramAsync(0, key, "Points");
        var rule = await RuleAsync(0, key, program, "Ten more", points: 10);
        await EachAsync(async replica => Assert.Equal(11, await QuoteAsync(replica)));
        for (var n = 1; n <= 5; n++)
        {
            // Nobody waits for news here: the replica that is asked next has not heard of it.
            await wallets
                .All[n % 3]
                .PatchAsync(
                    $"/v1/earning_rules/{rule}",
                    key,
                    n,
                    new { definition = new { effect = "bonus", points = 10 + n } }
                );
            await EachAsync(async replica => Assert.Equal(11 + n, await QuoteAsync(replica)));
        }

        await wallets.All[0].PatchAsync($"/v1/earning_rules/{rule}", key, 6, new { state = "closed" });
        await EachAsync(async replica => Assert.Equal(1, await QuoteAsync(replica)));

        async Task<long> QuoteAsync(int replica) =>
            (
                await wallets
                    .All[replica]
                    .CallAsync(
                        HttpMethod.Post,
                        "/v1/earnings/quote",
                        key,
                        new { program_id = program, amount = new { amount = 100, currency = "EUR" } }
                    )
            )
                .GetProperty("points")
                .GetInt64();
    }

    private static async Task EachAsync(Func<int, Task> look)
    {
        for (var replica = 0; replica < 3; replica++)
        {
            await look(replica);
        }
    }

    private (MerchantId Merchant, string Key) NewMerchant()
    {
        var merchant = MerchantId.New(TimeProvider.System);
        return (merchant, Key(merchant, live: false));
    }

    private string Key(MerchantId merchant, bool live) =>
        wallets.Sidecar.IssueKey(merchant, live, "loyalty:read", "loyalty:write", "earnings:read");

    private Task<JsonElement> GetAsync(int replica, string key, string path) =>
        wallets.All[replica].CallAsync(HttpMethod.Get, path, key);

    private async Task ShowsAsync(int replica, string key, string path, params string[] names) =>
        Assert.Equal(names, await NamesAsync(replica, key, path));

    private async Task<string[]> NamesAsync(int replica, string key, string path) =>
        [
            .. (await GetAsync(replica, key, path))
                .GetProperty("data")
                .EnumerateArray()
                .Select(item => item.GetProperty("name").GetString()!),
        ];

    private async Task<string> ProgramAsync(int replica, string key, string name) => (
            await wallets
                .All[replica]
                .CallAsync(
                    HttpMethod.Post,
                    "/v1/loyalty_programs",
                    key,
                    new
                    {
                        name,
                        currency = "EUR",
                        earn = new { points = 1, per = new { amount = 100, currency = "EUR" } },
                        point_value = new { points = 1, value = new { amount = 1, currency = "EUR" } },
                        time_zone = "Europe/Paris",
                    },
                    201,
                    $"{Guid.CreateVersion7()}"
                )
        ).GetProperty("id").GetString()!;

    private async Task<string> RuleAsync(
        int replica,
        string key,
        string program,
        string name,
        long points = 5,
        long? budget = null
    )
    {
        var rule = new Dictionary<string, object?>
        {
            ["program_id"] = program,
            ["name"] = name,
            ["definition"] = new { effect = "bonus", points },
        };
        if (budget is { } all)
        {
            rule["budget"] = all;
        }

        var made = await wallets
            .All[replica]
            .CallAsync(HttpMethod.Post, "/v1/earning_rules", key, rule, 201, $"{Guid.CreateVersion7()}");
        return made.GetProperty("id").GetString()!;
    }

    private static string EarningRule() => Ids.Format(LocalPlus.Wallet.EarningRuleId.From(Guid.CreateVersion7()));

    /// <summary>As the database has an id.</summary>
    private static Guid Uuid(string id) =>
        Ids.TryParse<ProgramId>(id, out var program) ? program.Value
        : Ids.TryParse<LocalPlus.Wallet.EarningRuleId>(id, out var rule) ? rule.Value
        : throw new ArgumentException(id, nameof(id));

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(wallets.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.True(await command.ExecuteNonQueryAsync() > 0);
    }
}
