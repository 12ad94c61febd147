using System.Text.Json.Nodes;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Loyalty;

/// <summary>A member, and how many points the accepted earnings gave.</summary>
internal sealed class BenchMember(BenchMerchant merchant, string id)
{
    private long _points;

    public BenchMerchant Merchant => merchant;

    public string Id => id;

    public long Points => Interlocked.Read(ref _points);

    public void Give(long points) => Interlocked.Add(ref _points, points);
}

/// <summary>
/// Members of programmes of merchants of the bench's own, as many of each and neighbours of different ones. Each
/// programme has <see cref="RulesPerProgram"/> rules, of which two give something for the basket that is bought.
/// </summary>
internal sealed class BenchMembers : IDisposable
{
    public const int Count = 200;
    public const int SpreadOver = 20;
    public const int RulesPerProgram = 20;

    /// <summary>What is bought: a bun and a tea.</summary>
    public const string Basket = """
        "amount":{"amount":1149,"currency":"EUR"},
        "lines":[{"product":"bun","category":"bakery","amount":{"amount":150,"currency":"EUR"}},
        {"product":"tea","category":"tea","amount":{"amount":999,"currency":"EUR"}}]
        """;

    private const int InParallel = 8;
    private readonly BenchMerchant[] _merchants;
    private readonly BenchMember[] _members;

    private BenchMembers(BenchMerchant[] merchants, BenchMember[] members, long each) =>
        (_merchants, _members, PointsOfEach) = (merchants, members, each);

    /// <summary>What one purchase of the basket earns, as it was quoted.</summary>
    public long PointsOfEach { get; }

    /// <summary>The member of a load's n-th request: all come round as often.</summary>
    public BenchMember For(long number) => _members[number % _members.Length];

    public static async Task<BenchMembers> EnrolAsync(CancellationToken cancel)
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
                programs[i] = await ProgramAsync(merchants[i].Api, token);
            }
        );
        var members = new BenchMember[Count];
        await Parallel.ForAsync(
            0,
            Count,
            parallel,
            async (i, token) =>
            {
                var merchant = merchants[i % SpreadOver];
                var person = new JsonObject
                {
                    ["program_id"] = programs[i % SpreadOver],
                    ["email"] = $"member-{i}@example.com",
                };
                var member = await merchant.Api.MustPostAsync("/v1/members", person, token);
                members[i] = new(merchant, (string)member["id"]!);
            }
        );
        var quote = JsonNode.Parse($$"""{"program_id":"{{programs[0]}}",{{Basket}}}""")!.AsObject();
        var quoted = await merchants[0].Api.MustPostAsync("/v1/earnings/quote", quote, cancel);
        return new(merchants, members, (long)quoted["points"]!);
    }

    /// <summary>How many members have not the points that their accepted purchases earned.</summary>
    public async Task<int> CountWrongAsync(CancellationToken cancel)
    {
        var wrong = 0;
        await Parallel.ForEachAsync(
            _members,
            new ParallelOptions { MaxDegreeOfParallelism = InParallel, CancellationToken = cancel },
            async (member, token) =>
            {
                var balance = await member.Merchant.Api.MustGetAsync($"/v1/members/{member.Id}/balance", token);
                Interlocked.Add(ref wrong, (long)balance["posted"]! == member.Points ? 0 : 1);
            }
        );
        return wrong;
    }

    public void Dispose() => Array.ForEach(_merchants, merchant => merchant.Dispose());

    private static async Task<string> ProgramAsync(Api api, CancellationToken cancel)
    {
        var program = await api.MustPostAsync(
            "/v1/loyalty_programs",
            JsonNode
                .Parse(
                    """
                    {
                      "name": "Bench", "currency": "EUR", "time_zone": "Europe/Paris",
                      "earn": {"points": 1, "per": {"amount": 100, "currency": "EUR"}},
                      "point_value": {"points": 1, "value": {"amount": 1, "currency": "EUR"}},
                      "expiry": {"kind": "after_earning", "days": 365}
                    }
                    """
                )!
                .AsObject(),
            cancel
        );
        var id = (string)program["id"]!;
        for (var i = 0; i < RulesPerProgram; i++)
        {
            var rule = new JsonObject
            {
                ["program_id"] = id,
                ["name"] = $"Rule {i}",
                ["definition"] = JsonNode.Parse(Definition(i)),
            };
            await api.MustPostAsync("/v1/earning_rules", rule, cancel);
        }

        return id;
    }

    /// <summary>Two that are for the basket, and kinds in turn that are not.</summary>
    private static string Definition(int i) =>
        (i % 10) switch
        {
            0 when i == 0 => """{"effect":"multiplier","percent":200,"categories":["bakery"],"order":1}""",
            0 => """{"effect":"bonus","points":5,"min_basket":{"amount":1000,"currency":"EUR"},"order":2}""",
            1 or 2 or 3 => $$"""{"effect":"bonus","points":3,"products":["other-{{i}}","another-{{i}}"]}""",
            4 or 5 => $$"""{"effect":"multiplier","percent":300,"categories":["nothing-{{i}}"]}""",
            6 or 7 => """{"effect":"bonus","points":50,"tiers":["platinum"]}""",
            _ => """{"effect":"bonus","points":9,"min_basket":{"amount":1000000,"currency":"EUR"}}""",
        };
}
