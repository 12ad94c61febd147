using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Events;

/// <summary>
/// How fast webhooks leave: cards are sold as fast as it goes by a merchant with 20 endpoints on this machine that want
/// everything; from the first delivery to the last counts. Every event must reach every endpoint.
/// </summary>
internal static class WebhookScenario
{
    private const int Endpoints = 20;
    private const int Cards = 150;
    private const int Sellers = 8;
    private const double WantedPerSecond = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("webhooks");
        await using var receiver = WebhookReceiver.Start();
        using var merchant = await BenchMerchant.OnboardAsync(cancel);
        var program = new JsonObject { ["name"] = "Bench", ["currency"] = "EUR" };
        var programId = (string)(await merchant.Api.MustPostAsync("/v1/programs", program, cancel))["id"]!;
        // Endpoints get what happens after they are there.
        await PendingEvents.DrainAsync(cancel);
        var endpoints = new List<string>();
        for (var i = 0; i < Endpoints; i++)
        {
            var endpoint = new JsonObject { ["url"] = $"{receiver.Address}hooks/{i}" };
            endpoints.Add((string)(await merchant.Api.MustPostAsync("/v1/webhook_endpoints", endpoint, cancel))["id"]!);
        }

        try
        {
            await DeliverAsync(receiver, merchant, programId, Cards / 5, cancel);
            receiver.Forget();
            var costs = ProcessCosts.Start();
            var wanted = await DeliverAsync(receiver, merchant, programId, Cards, cancel);
            var spent = costs.Per(receiver.Received).ToArray();
            var rate = receiver.Received / receiver.Took.TotalSeconds;
            var direct = await PostAsync(options.Briefly(), cancel);
            result.Figure("deliveries", receiver.Received);
            result.Figure("deliveries_per_second", rate);
            result.Figure("repeats", receiver.Repeats);
            result.Costs(spent);
            result.Load("direct", direct);
            result.Ratio("deliveries_to_direct", rate, direct.PerSecond);
            result.Require(receiver.Received == wanted);
        }
        finally
        {
            foreach (var endpoint in endpoints)
            {
                await merchant.Api.MustDeleteAsync($"/v1/webhook_endpoints/{endpoint}", CancellationToken.None);
            }
        }

        result.Note("yardstick", "posts of the bench's own to such a receiver, over as many connections, unsigned");
        result.Note(
            "wanted",
            string.Create(CultureInfo.InvariantCulture, $"{WantedPerSecond:0} a second, each event at each endpoint")
        );
        result.Note("conditions", "sales, their ledger and the receiver share the processors with the deliveries");
        return result.Build();
    }

    /// <summary>Sells cards and waits until all is delivered that there is of them; how much that is.</summary>
    private static async Task<long> DeliverAsync(
        WebhookReceiver receiver,
        BenchMerchant merchant,
        string program,
        int cards,
        CancellationToken cancel
    )
    {
        var before = await CountAsync(merchant, cancel);
        await Parallel.ForAsync(
            0,
            cards,
            new ParallelOptions { MaxDegreeOfParallelism = Sellers, CancellationToken = cancel },
            async (_, token) =>
                await merchant.Api.MustPostAsync(
                    "/v1/gift_cards",
                    new JsonObject
                    {
                        ["program_id"] = program,
                        ["amount"] = new JsonObject { ["amount"] = 1000, ["currency"] = "EUR" },
                    },
                    token
                )
        );
        await PendingEvents.DrainAsync(cancel);
        var wanted = (await CountAsync(merchant, cancel) - before) * Endpoints;
        var clock = Stopwatch.StartNew();
        while (receiver.Received < wanted && clock.Elapsed < Patience)
        {
            await Task.Delay(Poll, cancel);
        }

        return wanted;
    }

    /// <summary>The merchant's events, which notification keeps.</summary>
    private static async Task<long> CountAsync(BenchMerchant merchant, CancellationToken cancel) =>
        long.Parse(
            await Psql.RunAsync(
                "notification",
                $"SELECT count(*) FROM merchant_events WHERE merchant_id = '{merchant.Id.Value}';",
                cancel
            ),
            CultureInfo.InvariantCulture
        );

    private static async Task<Load> PostAsync(BenchOptions options, CancellationToken cancel)
    {
        await using var receiver = WebhookReceiver.Start();
        using var http = new HttpClient { BaseAddress = new Uri(receiver.Address) };
        var body = Encoding.UTF8.GetBytes($"{{\"data\":\"{new string('x', 600)}\"}}");
        return await LoadRunner.SendAsync(
            options.Closed() with
            {
                Clients = Endpoints * 8,
            },
            async (client, number, end) =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"/hooks/{client % Endpoints}")
                {
                    Content = new ByteArrayContent(body),
                };
                request.Headers.Add("webhook-id", number.ToString(CultureInfo.InvariantCulture));
                using var answer = await http.SendAsync(request, end);
                return answer.StatusCode == HttpStatusCode.NoContent ? null : $"{(int)answer.StatusCode}";
            },
            cancel
        );
    }
}
