using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Perf.Events;

/// <summary>
/// How long events wait behind those that nobody can take: card events through giftcard's sidecar to all who subscribe
/// to them, at a steady rate, first all of them good and then one in a hundred of them poison. The lag of an event is
/// from when it is made until its subscriber takes it. Every good one must arrive, every poison must be kept.
/// </summary>
internal static class PoisonScenario
{
    private const string Topic = "giftcard.cards.v1";
    private const int Events = 10_000;
    private const int OneIn = 100;
    private const int Kinds = 4;
    private const double DefaultRate = 500;
    private const int Ticks = 10;
    private const string Analytics = "analytics";
    private static readonly string[] Subscribers = [Analytics, "notification", "wallet"];

    /// <summary>Whose inbox says when an event was taken; analytics' facts are its inbox and say no time.</summary>
    private static readonly string[] Timed = ["notification", "wallet"];
    private static readonly TimeSpan WantedLag = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("poison");
        var merchant = MerchantId.New(TimeProvider.System);
        using var sidecar = Sidecar();
        try
        {
            var rate = options.Rate ?? DefaultRate;
            await MeasureAsync("warm_up", (int)rate * 5, isPoisoned: false);
            var calm = await MeasureAsync("calm", Events, isPoisoned: false);
            var poisoned = await MeasureAsync("poisoned", Events, isPoisoned: true);
            foreach (var subscriber in Timed)
            {
                Tell($"calm_{subscriber}", calm[subscriber]);
                Tell($"poisoned_{subscriber}", poisoned[subscriber]);
                var (with, without) = (poisoned[subscriber].Percentile(0.99), calm[subscriber].Percentile(0.99));
                result.Ratio($"{subscriber}_p99_poisoned_to_calm", with.TotalSeconds, without.TotalSeconds);
                result.Require(with < WantedLag);
            }

            result.Figure("events_per_second", rate);
            result.Note(
                "poison",
                "no JSON, NUL in a text, no data, an amount that a table refuses: 25 of each in 10,000"
            );
            result.Note("wanted", $"p99 under {WantedLag.TotalSeconds:0} s for each subscriber");
            result.Note("yardstick", "the same events at the same rate, all of them good");
            return result.Build();

            async Task<Dictionary<string, Histogram>> MeasureAsync(string name, int count, bool isPoisoned)
            {
                var run = new Run(sidecar, merchant, isPoisoned ? $"bench-poison-{Guid.NewGuid():N}" : null);
                await run.SendAsync(count, rate, cancel);
                var lags = await run.LagsAsync(cancel);
                if (isPoisoned)
                {
                    result.Figure($"{name}_dead_letters", await run.KeptAsync(cancel));
                }

                return lags;
            }

            void Tell(string name, Histogram lag)
            {
                result.Figure($"{name}_p50_ms", lag.Percentile(0.5).TotalMilliseconds);
                result.Figure($"{name}_p99_ms", lag.Percentile(0.99).TotalMilliseconds);
                result.Figure($"{name}_max_ms", lag.Max.TotalMilliseconds);
            }
        }
        finally
        {
            await CleanUpAsync(merchant);
        }
    }

    private static HttpClient Sidecar()
    {
        var sidecar = new HttpClient { BaseAddress = new Uri(Api.Setting("LP_GIFTCARD_SIDECAR")) };
        sidecar.DefaultRequestHeaders.Add("dapr-api-token", Api.Setting("DAPR_API_TOKEN"));
        return sidecar;
    }

    /// <summary>The merchant of the bench exists nowhere else.</summary>
    private static async Task CleanUpAsync(MerchantId merchant)
    {
        (string Database, string Table)[] written =
        [
            ("analytics", "facts"),
            ("analytics", "daily_totals"),
            ("notification", "card_holders"),
            ("wallet", "wallet_cards"),
        ];
        foreach (var (database, table) in written)
        {
            await Psql.RunAsync(
                database,
                $"DELETE FROM {table} WHERE merchant_id = '{merchant.Value}';",
                CancellationToken.None
            );
        }
    }

    /// <summary>Events of one phase.</summary>
    /// <param name="Poison">What every poisonous one has in it; null for none.</param>
    private sealed record Run(HttpClient Sidecar, MerchantId Merchant, string? Poison)
    {
        private readonly Dictionary<Guid, DateTimeOffset> _good = [];
        private readonly Dictionary<Guid, DateTimeOffset> _tooLarge = [];
        private int _poisonous;

        /// <summary>At the rate, whatever the sidecar takes its time for.</summary>
        public async Task SendAsync(int count, double rate, CancellationToken cancel)
        {
            var each = (int)Math.Ceiling(rate / Ticks);
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(each / rate));
            var sending = new List<Task>();
            for (var sent = 0; sent < count; sent += each)
            {
                await timer.WaitForNextTickAsync(cancel);
                sending.AddRange(Publish(sent, Math.Min(each, count - sent), cancel));
            }

            await Task.WhenAll(sending);
        }

        /// <summary>The lags of the good ones, once all are there.</summary>
        public async Task<Dictionary<string, Histogram>> LagsAsync(CancellationToken cancel)
        {
            var lags = new Dictionary<string, Histogram>(StringComparer.Ordinal);
            var deadline = TimeProvider.System.GetUtcNow() + Patience;
            long facts;
            while ((facts = await FactsAsync(cancel)) < _good.Count)
            {
                if (TimeProvider.System.GetUtcNow() > deadline)
                {
                    throw new BenchException($"{Analytics} got {facts} of {_good.Count} events");
                }

                await Task.Delay(Poll, cancel);
            }

            // What is poison to analytics alone is good for the others.
            var wanted = _good.Concat(_tooLarge).ToDictionary();
            foreach (var subscriber in Timed)
            {
                Histogram lag;
                while ((lag = await LagAsync(subscriber, wanted, cancel)).Count < wanted.Count)
                {
                    if (TimeProvider.System.GetUtcNow() > deadline)
                    {
                        throw new BenchException($"{subscriber} got {lag.Count} of {wanted.Count} events");
                    }

                    await Task.Delay(Poll, cancel);
                }

                lags[subscriber] = lag;
            }

            return lags;
        }

        /// <summary>How many dead letters there are of the poison, when all are there; then they are gone.</summary>
        public async Task<long> KeptAsync(CancellationToken cancel)
        {
            var all = 0L;
            var mine = $"FROM dead_letters WHERE position(convert_to('{Poison}', 'UTF8') IN body) > 0";
            var deadline = TimeProvider.System.GetUtcNow() + Patience;
            foreach (var subscriber in Subscribers)
            {
                var wanted = _poisonous - (subscriber == Analytics ? 0 : _tooLarge.Count);
                long kept;
                while ((kept = Number(await Psql.RunAsync(subscriber, $"SELECT count(*) {mine};", cancel))) != wanted)
                {
                    if (TimeProvider.System.GetUtcNow() > deadline)
                    {
                        throw new BenchException($"{subscriber} kept {kept} of {wanted} poisonous messages");
                    }

                    await Task.Delay(Poll, cancel);
                }

                await Psql.RunAsync(subscriber, $"DELETE {mine};", cancel);
                all += kept;
            }

            return all;
        }

        private async Task<long> FactsAsync(CancellationToken cancel) =>
            Number(
                await Psql.RunAsync(
                    Analytics,
                    $"""
                    SELECT count(event_id)
                      FROM facts
                     WHERE event_id BETWEEN '{_good.Keys.Min()}' AND '{_good.Keys.Max()}';
                    """,
                    cancel
                )
            );

        private static async Task<Histogram> LagAsync(
            string subscriber,
            Dictionary<Guid, DateTimeOffset> wanted,
            CancellationToken cancel
        )
        {
            var rows = await Psql.RunAsync(
                subscriber,
                $"""
                SELECT event_id, extract(epoch FROM received_at) * 1000
                  FROM inbox_events
                 WHERE subscriber = '{subscriber}/{Topic}'
                   AND event_id BETWEEN '{wanted.Keys.Min()}' AND '{wanted.Keys.Max()}';
                """,
                cancel
            );
            var lag = new Histogram();
            foreach (var row in rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split('|')))
            {
                if (wanted.TryGetValue(Guid.Parse(row[0]), out var made))
                {
                    var at = double.Parse(row[1], CultureInfo.InvariantCulture);
                    lag.Add(TimeSpan.FromMilliseconds(Math.Max(0, at - made.ToUnixTimeMilliseconds())));
                }
            }

            return lag;
        }

        private IEnumerable<Task> Publish(int first, int count, CancellationToken cancel)
        {
            var entries = new JsonArray();
            for (var n = first; n < first + count; n++)
            {
                var kind = Poison is not null && n % OneIn == OneIn / 2 ? n / OneIn % Kinds : -1;
                _poisonous += kind < 0 ? 0 : 1;
                if (kind is >= 0 and < Kinds - 1)
                {
                    yield return PublishRawAsync(Spoilt(kind, n), cancel);
                    continue;
                }

                var (id, made) = (EventId.New(TimeProvider.System), TimeProvider.System.GetUtcNow());
                (kind < 0 ? _good : _tooLarge).Add(id.Value, made);
                entries.Add(
                    new JsonObject
                    {
                        ["entryId"] = id.ToString(),
                        ["contentType"] = "application/cloudevents+json",
                        ["event"] = CloudEvent(id, made, kind < 0 ? 1 : long.MaxValue),
                    }
                );
            }

            yield return PostAsync(
                $"/v1.0/publish/bulk/pubsub/{Topic}",
                entries.ToJsonString(),
                "application/json",
                cancel
            );
        }

        private string Spoilt(int kind, int number) =>
            kind switch
            {
                0 => $"{Poison} {number}",
                1 => CloudEvent(EventId.New(TimeProvider.System), TimeProvider.System.GetUtcNow(), 1)
                    .ToJsonString()
                    .Replace("7Q2M", $"7\\u0000{Poison} {number}", StringComparison.Ordinal),
                _ => $$"""{"note":"{{Poison}} {{number}}"}""",
            };

        private JsonObject CloudEvent(EventId id, DateTimeOffset made, long amount)
        {
            var card = GiftCardId.New(TimeProvider.System).ToString();
            const string type = "gift_card.activated";
            return new JsonObject
            {
                ["specversion"] = "1.0",
                ["id"] = id.ToString(),
                ["type"] = type,
                ["source"] = "bench",
                ["data"] = new JsonObject
                {
                    ["id"] = id.ToString(),
                    ["type"] = type,
                    ["key"] = card,
                    ["sequence"] = 1,
                    ["merchant_id"] = Merchant.ToString(),
                    ["occurred_at"] = made.UtcDateTime.ToString(
                        "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                        CultureInfo.InvariantCulture
                    ),
                    ["data"] = new JsonObject
                    {
                        ["gift_card_id"] = card,
                        ["program_id"] = ProgramId.New(TimeProvider.System).ToString(),
                        ["last4"] = "7Q2M",
                        ["currency"] = "EUR",
                        ["amount"] = amount,
                        ["note"] = amount == 1 ? null : Poison,
                    },
                },
            };
        }

        private Task PublishRawAsync(string body, CancellationToken cancel) =>
            PostAsync($"/v1.0/publish/pubsub/{Topic}?metadata.rawPayload=true", body, "text/plain", cancel);

        private async Task PostAsync(string path, string body, string contentType, CancellationToken cancel)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
            using var answer = await Sidecar.PostAsync(new Uri(path, UriKind.Relative), content, cancel);
            if (!answer.IsSuccessStatusCode)
            {
                throw new BenchException(
                    $"{path} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}"
                );
            }
        }

        private static long Number(string output) => long.Parse(output.Trim(), CultureInfo.InvariantCulture);
    }
}
