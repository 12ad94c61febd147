using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Integration.Giftcard.Guessing;

/// <summary>
/// A guesser with many keys: nothing is found, and every kind of miss is one answer at one cost. LP_LONG=1, as in
/// ./localplus test guessing, makes 200,000 guesses: the few of every day prove the answers, the many the times.
/// </summary>
[Trait("Run", "named")]
public sealed class GuessingTests(GiftcardApi api, ITestOutputHelper output) : IClassFixture<GiftcardApi>
{
    private const int Keys = 20;
    private const int Guessers = 32;
    private const int TriesUntilLock = 5;

    /// <summary>How far the medians of two kinds of misses may be apart, when there are enough to tell.</summary>
    private const double Limit = 1.05;

    /// <summary>With the few of every day a median itself is uncertain by more than the limit.</summary>
    private const double CoarseLimit = 1.35;

    private const int EnoughRounds = 1000;

    private static readonly int Guesses = Environment.GetEnvironmentVariable("LP_LONG") == "1" ? 200_000 : 2000;

    [Fact]
    [Trait("Bug", "sylius#297")]
    public async Task Guessed_codes_find_nothing()
    {
        var keys = Enumerable.Range(0, Keys).Select(_ => api.NewMerchant().Key).ToArray();
        await api.SellAsync(1000);
        var (made, hits) = (0, 0);
        await Task.WhenAll(
            Enumerable
                .Range(0, Guessers)
                .Select(async _ =>
                {
                    for (int mine; (mine = Interlocked.Increment(ref made)) <= Guesses; )
                    {
                        using var answer = await LookUpAsync(keys[mine % Keys], new { code = CardCode.New() });
                        Assert.True((int)answer.StatusCode == 404, $"{answer.StatusCode}");
                        Interlocked.Add(ref hits, answer.IsSuccessStatusCode ? 1 : 0);
                    }
                })
        );
        output.WriteLine($"{Guesses} guesses, {hits} hits");
        Assert.Equal(0, hits);
    }

    [Fact]
    public async Task Every_kind_of_miss_without_a_pin_looks_and_costs_the_same()
    {
        var (_, own) = await api.SellAsync(1000);
        var (_, foreign) = await api.SellAsync(1000, key: api.NewMerchant().Key);
        var (_, pinned) = await PinnedAsync();
        var blocked = await BlockedAsync();
        var slip = own[..15] + (own[15] == '0' ? '1' : '0');
        await CompareAsync(
            Rounds,
            new()
            {
                ["absent"] = _ => new { code = CardCode.New() },
                ["a slip"] = _ => new { code = slip },
                ["foreign"] = _ => new { code = foreign },
                ["blocked"] = _ => new { code = blocked },
                ["pin missing"] = _ => new { code = pinned },
            }
        );
    }

    [Fact]
    public async Task Every_kind_of_miss_with_a_pin_looks_and_costs_the_same()
    {
        var blocked = await BlockedAsync();
        var (_, locked) = await PinnedAsync();
        for (var i = 0; i < TriesUntilLock; i++)
        {
            using var wrong = await LookUpAsync(api.Key, new { code = locked, pin = "0000" });
        }

        // A wrong PIN that locks the card tells its owner, which is rare and not compared: each card is tried less
        // often.
        var tries = TriesUntilLock - 1;
        var program = await PinnedProgramAsync();
        var cards = new List<string>();
        for (var i = 0; i * tries < Rounds; i++)
        {
            cards.Add((await PinnedAsync(program)).Code);
        }

        await CompareAsync(
            Rounds,
            new()
            {
                ["absent"] = _ => new { code = CardCode.New(), pin = "0000" },
                ["blocked"] = _ => new { code = blocked, pin = "0000" },
                ["locked"] = _ => new { code = locked, pin = "4711" },
                ["wrong pin"] = round => new { code = cards[round / tries], pin = "0000" },
            }
        );
    }

    private static int Rounds => Math.Min(Guesses / 40, 2000);

    /// <summary>
    /// One of each kind in turn, in an order of chance, so that whatever else the machine does falls on all alike.
    /// </summary>
    private async Task CompareAsync(int rounds, Dictionary<string, Func<int, object>> kinds)
    {
        var random = new Random(297);
        var times = kinds.Keys.ToDictionary(k => k, _ => new List<double>());
        var bodies = new HashSet<string>(StringComparer.Ordinal);
        foreach (var kind in kinds.Keys)
        {
            using var warm = await LookUpAsync(api.Key, new { code = CardCode.New(), pin = "0000" });
        }

        for (var round = 0; round < rounds; round++)
        {
            foreach (var kind in kinds.Keys.OrderBy(_ => random.Next()))
            {
                var body = kinds[kind](round);
                var start = Stopwatch.GetTimestamp();
                using var answer = await LookUpAsync(api.Key, body);
                times[kind].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                var problem = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
                bodies.Add(
                    $"{(int)answer.StatusCode} "
                        + string.Join(
                            '|',
                            problem
                                .EnumerateObject()
                                .Where(m => m.Name != "request_id")
                                .Select(m => m.Value.GetRawText())
                        )
                );
            }
        }

        var medians = times.ToDictionary(t => t.Key, t => t.Value.Order().ElementAt(rounds / 2));
        var told = string.Join(
            ", ",
            medians.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key} {m.Value:0.000} ms"))
        );
        var ratio = medians.Values.Max() / medians.Values.Min();
        output.WriteLine($"{rounds} rounds, medians: {told}; ratio {ratio:0.000}");
        Assert.Single(bodies);
        Assert.True(
            ratio <= (rounds >= EnoughRounds ? Limit : CoarseLimit),
            $"{rounds} rounds, medians: {told}; ratio {ratio:0.000}"
        );
    }

    private Task<string> PinnedProgramAsync() =>
        api.ProgramAsync(
            new
            {
                name = "Pinned",
                currency = "EUR",
                pin = "optional",
            }
        );

    private async Task<(string Id, string Code)> PinnedAsync(string? program = null)
    {
        program ??= await PinnedProgramAsync();
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1000),
                pin = "4711",
            },
            201
        );
        return (card.GetProperty("id").GetString()!, card.GetProperty("code").GetString()!);
    }

    private async Task<string> BlockedAsync()
    {
        var (id, code) = await api.SellAsync(1000);
        await api.PostAsync($"/v1/gift_cards/{id}/block", null);
        return code;
    }

    private async Task<HttpResponseMessage> LookUpAsync(string key, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/gift_cards/lookup")
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await api.Service.Public.SendAsync(request);
    }
}
