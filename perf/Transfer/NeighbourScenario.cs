using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Transfer;

/// <summary>
/// What a merchant who floods the ledger costs another: the quiet one's transfers, in an open loop, alone, beside dry
/// runs of bulks by more callers than a merchant may have under way, and beside transfers from many clients as well.
/// Those transfers once more from many merchants, who flood nothing: what is between the two is the flooder's.
/// </summary>
internal static class NeighbourScenario
{
    private const int Accounts = 100;
    private const int BulkItems = 1000;
    private const int BulkCallers = 16;
    private const int Flooders = 64;
    private const int QuietClients = 16;
    private const int Crowd = 20;
    private const double QuietRate = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("neighbour");
        await using var ledger = await LedgerUnderTest.StartAsync(cancel);
        using var quiet = await MerchantAsync(ledger, cancel);
        using var flooder = await MerchantAsync(ledger, cancel);
        var crowd = new List<Booker>();
        try
        {
            for (var i = 0; i < Crowd; i++)
            {
                crowd.Add(await MerchantAsync(ledger, cancel));
            }

            var own = options with { Clients = QuietClients, Rate = options.Rate ?? QuietRate };
            var flood = options.Closed() with { Clients = Flooders };
            await Task.WhenAll(
                flooder.Transfers.SendAsync(flood.ToWarmUp(), AccountPickers.Uniform(Accounts), cancel),
                quiet.Transfers.SendAsync(own.ToWarmUp(), AccountPickers.Uniform(Accounts), cancel)
            );

            async Task<TimeSpan> MeasureAsync(string name, Func<CancellationToken, Task> beside)
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                var others = beside(end.Token);
                var load = await quiet.Transfers.SendAsync(own, AccountPickers.Uniform(Accounts), cancel);
                await end.CancelAsync();
                await others;
                result.Load(name, load);
                result.Require(load.Errors.Count == 0);
                return load.Latency.Percentile(0.99);
            }

            var alone = await MeasureAsync("alone", _ => Task.CompletedTask);
            var dryRuns = new Tally();
            var besideDryRuns = await MeasureAsync("beside_dry_runs", end => FloodAsync(ledger, flooder, dryRuns, end));
            var among = await MeasureAsync(
                "among_many",
                _ =>
                    Task.WhenAll(
                        crowd.Select(one =>
                            one.Transfers.SendAsync(
                                flood with
                                {
                                    Clients = Flooders / Crowd,
                                },
                                AccountPickers.Uniform(Accounts),
                                cancel
                            )
                        )
                    )
            );
            var besideFlood = await MeasureAsync(
                "beside_flood",
                end =>
                    Task.WhenAll(
                        FloodAsync(ledger, flooder, dryRuns, end),
                        flooder.Transfers.SendAsync(flood, AccountPickers.Uniform(Accounts), cancel)
                    )
            );
            result.Figure("dry_runs_answered", dryRuns.Answered);
            result.Figure("dry_runs_refused", dryRuns.Refused);
            result.Ratio("p99_beside_dry_runs_to_alone", besideDryRuns.TotalMilliseconds, alone.TotalMilliseconds);
            result.Ratio("p99_beside_flood_to_among_many", besideFlood.TotalMilliseconds, among.TotalMilliseconds);
        }
        finally
        {
            crowd.ForEach(one => one.Dispose());
        }

        result.Note("wanted", "nothing of the quiet merchant refused; both ratios at most 2");
        result.Note(
            "conditions",
            $"generator, ledger and PostgreSQL share {Environment.ProcessorCount} processors; "
                + $"{options.For.TotalSeconds:0} s a phase"
        );
        return result.Build();
    }

    private static async Task<Booker> MerchantAsync(LedgerUnderTest ledger, CancellationToken cancel)
    {
        var merchant = await BenchMerchant.OnboardAsync(cancel, bookkeeping: true);
        var accounts = await BenchAccounts.OpenAsync(ledger.Address, merchant.ApiKey, Accounts, cancel);
        return new(merchant, accounts, new TransferLoad(ledger, accounts, merchant.ApiKey));
    }

    /// <summary>Dry runs from every caller, again as soon as one is answered or may be asked anew.</summary>
    private static async Task FloodAsync(LedgerUnderTest ledger, Booker flooder, Tally tally, CancellationToken end)
    {
        using var http = new HttpClient { BaseAddress = new Uri(ledger.Address) };
        var body = JsonSerializer.Serialize(
            new
            {
                items = Enumerable
                    .Range(0, BulkItems)
                    .Select(i => new
                    {
                        reference = $"dry-{i}",
                        kind = "bench",
                        postings = new[]
                        {
                            new
                            {
                                source = flooder.Accounts.Ids[i % Accounts],
                                destination = flooder.Accounts.Ids[(i + 1) % Accounts],
                                amount = 1,
                            },
                        },
                    }),
            }
        );

        async Task CallAsync()
        {
            while (!end.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/transactions/bulk?dry_run=true")
                {
                    Content = new StringContent(body, Encoding.UTF8, "application/json"),
                };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", flooder.Merchant.ApiKey);
                using var answer = await http.SendAsync(request, CancellationToken.None);
                tally.Count(answer.StatusCode);
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    await Task.Delay(Pause, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, BulkCallers).Select(_ => CallAsync()));
    }

    private sealed record Booker(BenchMerchant Merchant, BenchAccounts Accounts, TransferLoad Transfers) : IDisposable
    {
        public void Dispose() => Merchant.Dispose();
    }

    /// <summary>How the flood fared.</summary>
    private sealed class Tally
    {
        private long answered;
        private long refused;

        public long Answered => Interlocked.Read(ref answered);

        public long Refused => Interlocked.Read(ref refused);

        public void Count(HttpStatusCode status) =>
            _ = status == HttpStatusCode.OK ? Interlocked.Increment(ref answered) : Interlocked.Increment(ref refused);
    }
}
