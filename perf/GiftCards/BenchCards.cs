using System.Text.Json.Nodes;

namespace LocalPlus.Perf.GiftCards;

/// <summary>A card, and how many minor units the accepted redemptions took from it.</summary>
internal sealed class BenchCard(BenchMerchant merchant, string id, string code)
{
    private long _taken;

    public BenchMerchant Merchant => merchant;

    public string Id => id;

    public string Code => code;

    public long Taken => Interlocked.Read(ref _taken);

    public void Take() => Interlocked.Increment(ref _taken);
}

/// <summary>
/// Cards that were sold for a bench by merchants of its own: as many by each, and neighbours by different ones.
/// </summary>
internal sealed class BenchCards : IDisposable
{
    public const int Count = 200;
    public const int SpreadOver = 20;
    private const long Value = 1_000_000;
    private const int InParallel = 8;
    private readonly BenchCard[] _cards;

    private BenchCards(BenchMerchant[] merchants, BenchCard[] cards) => (Merchants, _cards) = (merchants, cards);

    public BenchMerchant[] Merchants { get; }

    /// <summary>The card of a load's n-th request: all come round as often.</summary>
    public BenchCard For(long number) => _cards[number % _cards.Length];

    public static Task<BenchCards> SellSpreadAsync(CancellationToken cancel) => SellAsync(SpreadOver, cancel);

    public static Task<BenchCards> SellByOneAsync(CancellationToken cancel) => SellAsync(1, cancel);

    /// <summary>How many minor units more have gone from the cards than the accepted redemptions took.</summary>
    public async Task<long> CountTakenBesideAsync(CancellationToken cancel)
    {
        var beside = 0L;
        await EachAsync((card, balance) => Interlocked.Add(ref beside, Value - balance - card.Taken), cancel);
        return beside;
    }

    /// <summary>How many cards' balances are not their value less what the accepted redemptions took.</summary>
    public async Task<int> CountWrongAsync(CancellationToken cancel)
    {
        var wrong = 0;
        await EachAsync((card, balance) => Interlocked.Add(ref wrong, balance == Value - card.Taken ? 0 : 1), cancel);
        return wrong;
    }

    private Task EachAsync(Action<BenchCard, long> look, CancellationToken cancel) =>
        Parallel.ForEachAsync(
            _cards,
            new ParallelOptions { MaxDegreeOfParallelism = InParallel, CancellationToken = cancel },
            async (card, token) =>
            {
                var now = await card.Merchant.Api.MustGetAsync($"/v1/gift_cards/{card.Id}", token);
                look(card, (long)now["balance"]!["amount"]!);
            }
        );

    public void Dispose() => Array.ForEach(Merchants, merchant => merchant.Dispose());

    private static async Task<BenchCards> SellAsync(int merchantCount, CancellationToken cancel)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = InParallel, CancellationToken = cancel };
        var merchants = new BenchMerchant[merchantCount];
        var programs = new string[merchantCount];
        await Parallel.ForAsync(
            0,
            merchantCount,
            parallel,
            async (i, token) =>
            {
                merchants[i] = await BenchMerchant.OnboardAsync(token);
                var program = new JsonObject { ["name"] = "Bench", ["currency"] = "EUR" };
                programs[i] = (string)(await merchants[i].Api.MustPostAsync("/v1/programs", program, token))["id"]!;
            }
        );
        var cards = new BenchCard[Count];
        await Parallel.ForAsync(
            0,
            cards.Length,
            parallel,
            async (i, token) =>
            {
                var merchant = merchants[i % merchantCount];
                var sale = new JsonObject
                {
                    ["program_id"] = programs[i % merchantCount],
                    ["amount"] = new JsonObject { ["amount"] = Value, ["currency"] = "EUR" },
                };
                var card = await merchant.Api.MustPostAsync("/v1/gift_cards", sale, token);
                cards[i] = new BenchCard(merchant, (string)card["id"]!, (string)card["code"]!);
            }
        );
        return new BenchCards(merchants, cards);
    }
}
