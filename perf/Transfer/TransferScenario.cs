namespace LocalPlus.Perf.Transfer;

/// <summary>
/// Transfers of 1 minor unit between 1,000 accounts over the ledger's REST, with API key, idempotency, outbox and leaf
/// hash, at several numbers of connections and with unevenly used accounts; the yardsticks before and after. Afterwards
/// the books must add up to nothing. The relay of the outbox is kept still: the yardsticks only write events, too.
/// </summary>
internal static class TransferScenario
{
    private const int Accounts = 1000;
    private const int HotAccounts = 10;
    private const int HistoryPerTransaction = 2;
    private static readonly int[] Connections = [16, 64, 256];

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("transfer");
        await using var ledger = await LedgerUnderTest.StartAsync(cancel);
        var accounts = await BenchAccounts.OpenAsync(ledger.Address, Accounts, cancel);
        var transfers = new TransferLoad(ledger, accounts);
        await Yardsticks.PrepareAsync(accounts.Ids, cancel);
        if (options.History > 0)
        {
            await History.WriteAsync(options.History / HistoryPerTransaction, Accounts, cancel);
        }

        var beside = options.Briefly().For;
        var before = await Yardsticks.FunctionAsync(Yardsticks.Clients, Accounts, beside, cancel);
        await transfers.SendAsync(
            options.ToWarmUp() with
            {
                Clients = Connections[^1],
            },
            AccountPickers.Uniform(Accounts),
            cancel
        );
        var loads = new Dictionary<string, Load>(StringComparer.Ordinal);
        async Task MeasureAsync(string name, int clients, AccountPicker picker)
        {
            var spent = ledger.ProcessorTime;
            var stack = ProcessCosts.Start();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var memory = SampleMemoryAsync(ledger, end.Token);
            var load = await transfers.SendAsync(options with { Clients = clients }, picker, cancel);
            await end.CancelAsync();
            loads.Add(name, load);
            Console.WriteLine(
                $"· {name}: {load.PerSecond:0} transfers/s, p99 "
                    + $"{load.Latency.Percentile(0.99).TotalMilliseconds:0.0} ms"
            );
            result.Load(name, load);
            result.Figure(
                $"{name}_service_cpu_us",
                (ledger.ProcessorTime - spent).TotalMicroseconds / Math.Max(1, load.Succeeded)
            );
            result.Figure(
                $"{name}_postgres_cpu_us",
                stack.Per(load.Succeeded).Single(cost => cost.Process == "postgres").Milliseconds * 1000
            );
            var samples = await memory;
            result.Figure($"{name}_memory_mb_first_tenth", samples.Take(1 + (samples.Count / 10)).Average());
            result.Figure($"{name}_memory_mb_last_tenth", samples.TakeLast(1 + (samples.Count / 10)).Average());
        }

        foreach (var clients in options.OnlyTheseClients ? [options.Clients] : Connections)
        {
            await MeasureAsync($"at_{clients}", clients, AccountPickers.Uniform(Accounts));
        }

        if (!options.OnlyTheseClients)
        {
            await MeasureAsync("one", 1, AccountPickers.Uniform(Accounts));
            await MeasureAsync("zipf_at_64", 64, AccountPickers.Zipf(Accounts));
            await MeasureAsync("ten_hot_at_64", 64, AccountPickers.FromFew(HotAccounts, Accounts));
            await MeasureAsync("hot_merchant_at_64", 64, AccountPickers.ToOne(Accounts, Accounts));
            var lonely = await Yardsticks.FunctionAsync(1, Accounts, beside, cancel);
            result.Figure("function_1_client_ms", 1000 / lonely);
            result.Ratio("zipf_to_uniform", loads["zipf_at_64"].PerSecond, loads["at_64"].PerSecond);
            result.Ratio("ten_hot_to_uniform", loads["ten_hot_at_64"].PerSecond, loads["at_64"].PerSecond);
            result.Ratio("hot_merchant_to_uniform", loads["hot_merchant_at_64"].PerSecond, loads["at_64"].PerSecond);
            result.Ratio(
                "lonely_latency_to_bare",
                loads["one"].Latency.Percentile(0.5).TotalMilliseconds,
                1000 / lonely
            );
        }

        var after = await Yardsticks.FunctionAsync(Yardsticks.Clients, Accounts, beside, cancel);
        var function = (before + after) / 2;
        result.Figure("function_16_clients_per_second", function);
        var pgledger = options.Pgledger is { } file
            ? await Yardsticks.PgledgerAsync(file, Accounts, beside, cancel)
            : 0;
        result.Figure("pgledger_16_clients_per_second", pgledger);
        foreach (var (name, load) in loads.Where(load => load.Key.StartsWith("at_", StringComparison.Ordinal)))
        {
            result.Ratio($"{name}_to_function", load.PerSecond, function);
            result.Ratio($"{name}_to_pgledger", load.PerSecond, pgledger);
        }

        await ConcludeAsync(result, options, cancel);
        return result.Build();
    }

    /// <summary>Megabytes each second, until the end.</summary>
    private static async Task<IReadOnlyList<double>> SampleMemoryAsync(LedgerUnderTest ledger, CancellationToken end)
    {
        var samples = new List<double>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            samples.Add(ledger.ResidentMegabytes);
            await ((Task)timer.WaitForNextTickAsync(end).AsTask()).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing
            );
        } while (!end.IsCancellationRequested);
        return samples;
    }

    private static async Task ConcludeAsync(BenchResult.Builder result, BenchOptions options, CancellationToken cancel)
    {
        var books = (await Psql.RunAsync(LedgerUnderTest.Database, Sql.Check, cancel)).Trim().Split('|');
        result.Require(books[0] == "0" && books[1] == "0");
        result.Note(
            "books",
            $"{books[3]} entries sum to {books[0]}; {books[1]} accounts differ from their entries; {books[2]} MB"
        );
        result.Note("settings", (await Psql.RunAsync("postgres", Sql.Settings, cancel)).Trim().ReplaceLineEndings(" "));
        result.Note(
            "yardstick",
            "pgbench, 16 clients, one PL/pgSQL call per transfer that writes the same rows into the same tables"
        );
        result.Note(
            "conditions",
            $"generator, ledger and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"relay of the outbox still; {options.For.TotalSeconds:0} s a phase, "
                + $"{options.Briefly().For.TotalSeconds:0} s a yardstick"
        );
    }

    private static class Sql
    {
        public const string Check = """
            SELECT (SELECT COALESCE(sum(amount), 0) FROM ledger_entries),
                   (SELECT count(*) FROM accounts a
                      LEFT JOIN (SELECT account_id, sum(amount) AS posted FROM ledger_entries
                          WHERE stripe = 0 GROUP BY account_id) e USING (account_id)
                     WHERE a.posted <> COALESCE(e.posted, 0)),
                   pg_database_size(current_database()) / 1048576,
                   (SELECT count(*) FROM ledger_entries);
            """;

        public const string Settings = """
            SELECT name || '=' || current_setting(name)
              FROM unnest(ARRAY['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers',
                          'max_wal_size']) AS name;
            """;
    }
}
