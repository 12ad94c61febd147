using System.Text.Json.Nodes;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Reads;

/// <summary>What a read bench reads: a customer with a card in its wallet, its merchant and its programme.</summary>
internal sealed record ReadSubject(BenchMerchant Merchant, string Program, string Customer, string Code);

/// <summary>Subjects of many merchants, neighbours of different ones.</summary>
internal sealed class ReadSubjects : IDisposable
{
    public const int Count = 200;
    public const int SpreadOver = 20;
    private const int InParallel = 8;
    private const long Value = 5_000;
    private static readonly TimeSpan EventLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private readonly BenchMerchant[] _merchants;
    private readonly ReadSubject[] _subjects;

    private ReadSubjects(BenchMerchant[] merchants, ReadSubject[] subjects) =>
        (_merchants, _subjects) = (merchants, subjects);

    /// <summary>Of a load's n-th request: all come round as often.</summary>
    public ReadSubject For(long number) => _subjects[number % _subjects.Length];

    /// <summary>Sells a card to each of the customers, and waits until it is in its wallet with its value.</summary>
    public static async Task<ReadSubjects> MakeAsync(CancellationToken cancel)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = InParallel, CancellationToken = cancel };
        var merchants = new BenchMerchant[SpreadOver];
        var programs = new string[SpreadOver];
        await Parallel.ForAsync(
            0,
            SpreadOver,
            parallel,
            async (i, token) =>
            {
                merchants[i] = await BenchMerchant.OnboardAsync(token);
                var program = new JsonObject { ["name"] = "Bench", ["currency"] = "EUR" };
                programs[i] = (string)(await merchants[i].Api.MustPostAsync("/v1/programs", program, token))["id"]!;
            }
        );
        var subjects = new ReadSubject[Count];
        await Parallel.ForAsync(
            0,
            Count,
            parallel,
            async (i, token) =>
            {
                var (merchant, program) = (merchants[i % SpreadOver], programs[i % SpreadOver]);
                var holder = new JsonObject { ["email"] = $"holder-{i}@example.com" };
                var customer = (string)(await merchant.Api.MustPostAsync("/v1/customers", holder, token))["id"]!;
                var sale = new JsonObject
                {
                    ["program_id"] = program,
                    ["amount"] = new JsonObject { ["amount"] = Value, ["currency"] = "EUR" },
                    ["customer_id"] = customer,
                };
                var card = await merchant.Api.MustPostAsync("/v1/gift_cards", sale, token);
                subjects[i] = new(merchant, program, customer, (string)card["code"]!);
            }
        );
        await Parallel.ForEachAsync(subjects, parallel, WaitAsync);
        return new ReadSubjects(merchants, subjects);
    }

    public void Dispose() => Array.ForEach(_merchants, merchant => merchant.Dispose());

    private static async ValueTask WaitAsync(ReadSubject subject, CancellationToken cancel)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < EventLimit)
        {
            var wallet = await subject.Merchant.Api.MustGetAsync($"/v1/customers/{subject.Customer}/wallet", cancel);
            if (wallet["balances"]!.AsArray().Any(balance => (long)balance!["amount"]! == Value))
            {
                return;
            }

            await Task.Delay(Pause, cancel);
        }

        throw new BenchException($"a card was not in its wallet within {EventLimit.TotalSeconds:0} s");
    }
}
