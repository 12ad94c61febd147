using System.Globalization;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Overload;

/// <summary>
/// What is left of the service when too many come. Capacity first, by closed loops; then open loops at 0.5 to 8 times
/// of it over many merchants and over one; one merchant that floods while the others go on; a ledger that is frozen for
/// ten seconds; and a second giftcard. After each, what has gone from the cards is compared with what callers were
/// told.
/// </summary>
internal static class OverloadScenario
{
    private const double GoodAtFour = 0.8;
    private const double GoodAtEight = 0.7;
    private const double OthersKept = 0.95;
    private const double ExecutedButBusy = 0.001;
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan NormalWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(8);
    private static readonly double[] Factors = [0.5, 1, 2, 4, 8];
    private static readonly int[] Clients = [16, 32, 64];

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("overload");
        using var many = await BenchCards.SellSpreadAsync(cancel);
        using var one = await BenchCards.SellByOneAsync(cancel);
        var bench = new Run(
            result,
            new RedemptionRuns([.. many.Merchants, .. one.Merchants]),
            [many, one],
            options,
            cancel
        );
        var capacity = await bench.CapacityAsync(many);
        string[] gateway = [Api.Setting("LP_GATEWAY")];

        await bench.LadderAsync("many", gateway, many, capacity, Factors);
        await bench.LadderAsync("one", gateway, one, capacity, Factors);
        await bench.FloodAsync(gateway, one, many, capacity);
        await bench.FreezeAsync(gateway, many, capacity);
        await using (var replica = await ServiceReplica.StartAsync("giftcard", cancel))
        {
            string[] both = [.. gateway, replica.Address];
            await bench.SendAsync("warm_up", both, [new(many, capacity / 2, default, options.ToWarmUp().For)]);
            await bench.LadderAsync("two_replicas", both, many, capacity, [1, 4, 8]);
        }

        result.Note(
            "wanted",
            $"good at 4 times {GoodAtFour} and at 8 times {GoodAtEight} of the best rate; p99 of the answered under "
                + $"{Tally.InTime.TotalSeconds:0} s, of refusals under {RefusedWithin.TotalMilliseconds:0} ms; "
                + $"executed but told otherwise under {ExecutedButBusy:0.0 %} of what was offered; others than the "
                + $"flooding merchant keep {OthersKept:0 %}; normal {NormalWithin.TotalSeconds:0} s after the flood"
        );
        result.Note(
            "conditions",
            $"generator, stack and PostgreSQL share {Environment.ProcessorCount} processors; open loops of "
                + $"{options.For.TotalSeconds:0} s; {BenchCards.Count} cards of {BenchCards.SpreadOver} merchants or "
                + $"of one; good: answered with 201 within {Tally.InTime.TotalSeconds:0} s of being due"
        );
        result.Note("missed", bench.Missed.Count == 0 ? "nothing" : string.Join("; ", bench.Missed));
        return result.Build();
    }

    /// <summary>One run's phases, with what they missed of what is wanted.</summary>
    private sealed class Run(
        BenchResult.Builder result,
        RedemptionRuns runs,
        BenchCards[] books,
        BenchOptions options,
        CancellationToken cancel
    )
    {
        private long _besideBefore;

        public List<string> Missed { get; } = [];

        /// <summary>The best of closed loops.</summary>
        public async Task<double> CapacityAsync(BenchCards cards)
        {
            var load = new RedeemLoad();
            await load.SendAsync(options.ToWarmUp().Closed(), cards, cancel);
            await DrainAsync();
            var best = 0.0;
            foreach (var clients in Clients)
            {
                var rate = (await load.SendAsync(options.Closed() with { Clients = clients }, cards, cancel)).PerSecond;
                await DrainAsync();
                result.Figure($"capacity_{clients}_clients_per_second", rate);
                best = Math.Max(best, rate);
            }

            _besideBefore = await BesideAsync();
            return best;
        }

        public async Task LadderAsync(
            string name,
            string[] addresses,
            BenchCards cards,
            double capacity,
            double[] factors
        )
        {
            var good = new Dictionary<double, double>();
            foreach (var factor in factors)
            {
                var step = string.Create(CultureInfo.InvariantCulture, $"{name}_{factor}x");
                var costs = ProcessCosts.Start();
                var tally = Sum(
                    (await SendAsync(step, addresses, [new(cards, capacity * factor, default, options.For)]))[0]
                );
                good[factor] = tally.Good / options.For.TotalSeconds;
                Tell(step, tally, options.For, costs);
            }

            var best = good.Values.Max();
            Wanted($"{name}_4x_to_best", good[4] / best, GoodAtFour);
            Wanted($"{name}_8x_to_best", good[8] / best, GoodAtEight);
            foreach (var (factor, rate) in good)
            {
                result.Ratio(string.Create(CultureInfo.InvariantCulture, $"{name}_{factor}x_good_to_best"), rate, best);
            }
        }

        /// <summary>Twenty merchants at half of the capacity, one more at four times of it for a while.</summary>
        public async Task FloodAsync(string[] addresses, BenchCards flooding, BenchCards others, double capacity)
        {
            var costs = ProcessCosts.Start();
            var streams = await SendAsync(
                "flood",
                addresses,
                [
                    new(others, capacity / 2, default, Before + options.For + After),
                    new(flooding, capacity * 4, Before, options.For),
                ]
            );
            var during = Sum(streams[0].Skip((int)Before.TotalSeconds).Take((int)options.For.TotalSeconds));
            Tell("flood_others", during, options.For, costs);
            Tell("flood_flooding", Sum(streams[1]), options.For, null);
            Wanted("flood_others_kept", (double)during.Good / Math.Max(1, during.Offered), OthersKept);
            Normal("flood", streams[0], (int)(Before + options.For).TotalSeconds);
        }

        public async Task FreezeAsync(string[] addresses, BenchCards cards, double capacity)
        {
            var ledger = Api.Setting("LP_PROCESSES")
                .Split(',')
                .Select(pair => pair.Split('='))
                .Where(pair => pair[0] == "ledger")
                .Select(pair => int.Parse(pair[1], CultureInfo.InvariantCulture))
                .Single();
            var sending = SendAsync(
                "frozen",
                addresses,
                [new(cards, capacity * 0.7, default, Before + Frozen + After)]
            );
            await Task.Delay(Before, cancel);
            await Signals.SendAsync("STOP", ledger);
            try
            {
                await Task.Delay(Frozen, cancel);
            }
            finally
            {
                await Signals.SendAsync("CONT", ledger);
            }

            var seconds = (await sending)[0];
            var until = (int)(Before + Frozen).TotalSeconds;
            Tell("frozen", Sum(seconds.Take(until).Skip((int)Before.TotalSeconds)), Frozen, null);
            Normal("frozen", seconds, until);
        }

        /// <summary>
        /// Sends, waits until all that was begun has ended, and counts what was done though nobody was told so.
        /// </summary>
        public async Task<Tally[][]> SendAsync(string name, string[] addresses, Stream[] streams)
        {
            var tallies = await new Flood(addresses).SendAsync(streams, cancel);
            await DrainAsync();
            var beside = await BesideAsync();
            var offered = Sum(tallies.SelectMany(seconds => seconds)).Offered;
            var executed = beside - _besideBefore;
            _besideBefore = beside;
            result.Figure($"{name}_executed_but_busy", executed);
            if (executed > ExecutedButBusy * offered)
            {
                Missed.Add($"{name}: {executed} of {offered} executed though nobody was told so");
            }

            return tallies;
        }

        private void Tell(string name, Tally tally, TimeSpan took, ProcessCosts? costs)
        {
            var (p99, refused) = (tally.Answered.Percentile(0.99), tally.Refused.Percentile(0.99));
            result.Figure($"{name}_offered_per_second", tally.Offered / took.TotalSeconds);
            result.Figure($"{name}_good_per_second", tally.Good / took.TotalSeconds);
            result.Figure($"{name}_answered_p50_ms", tally.Answered.Percentile(0.5).TotalMilliseconds);
            result.Figure($"{name}_answered_p99_ms", p99.TotalMilliseconds);
            result.Figure($"{name}_refused_per_second", tally.Refused.Count / took.TotalSeconds);
            result.Figure($"{name}_refused_p50_ms", tally.Refused.Percentile(0.5).TotalMilliseconds);
            result.Figure($"{name}_refused_p99_ms", refused.TotalMilliseconds);
            foreach (var (failure, count) in tally.Others)
            {
                result.Figure($"{name}_other_{failure}", count);
            }

            if (costs is not null)
            {
                result.Figure(
                    $"{name}_generator_cpu_percent",
                    costs.Per(1).First(cost => cost.Process == "generator").Milliseconds / took.TotalMilliseconds * 100
                );
            }

            if (p99 > Tally.InTime)
            {
                Missed.Add($"{name}: p99 {p99.TotalMilliseconds:0} ms");
            }

            if (refused > RefusedWithin)
            {
                Missed.Add($"{name}: refusals' p99 {refused.TotalMilliseconds:0} ms");
            }
        }

        private void Wanted(string name, double value, double wanted)
        {
            result.Ratio(name, value, 1);
            if (value < wanted)
            {
                Missed.Add($"{name} {value:0.00} under {wanted:0.00}");
            }
        }

        /// <summary>From when on all was well, in seconds after the end of what was wrong.</summary>
        private void Normal(string name, Tally[] seconds, int end)
        {
            var last = Array.FindLastIndex(seconds, second => second.Good < second.Offered);
            var normal = Math.Max(0, last + 1 - end);
            result.Figure($"{name}_normal_after_s", normal);
            if (normal > NormalWithin.TotalSeconds)
            {
                Missed.Add($"{name}: normal after {normal} s");
            }
        }

        private async Task DrainAsync()
        {
            await runs.DrainAsync(cancel);
            await PendingEvents.DrainAsync(cancel);
        }

        private async Task<long> BesideAsync()
        {
            var beside = 0L;
            foreach (var cards in books)
            {
                beside += await cards.CountTakenBesideAsync(cancel);
            }

            return beside;
        }

        private static Tally Sum(IEnumerable<Tally> tallies)
        {
            var sum = new Tally();
            foreach (var tally in tallies)
            {
                sum.Add(tally);
            }

            return sum;
        }
    }
}
