using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LocalPlus.Tests.Integration.Ledger.Model;
using LocalPlus.Tests.Unit.Ledger.Support;
using Npgsql;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Integration.Ledger.Fuzz;

/// <summary>
/// Whatever is sent to whichever door: never a 5xx, never a word of the program's inside, never half a write.
/// </summary>
[Trait("Run", "named")]
public sealed partial class FuzzTests : IClassFixture<LedgerFixture>
{
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;
    private readonly ITestOutputHelper output;
    private readonly int seed = LongRun.Seed is [var text, ..]
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : Random.Shared.Next();

    public FuzzTests(LedgerFixture ledger, ITestOutputHelper output) =>
        (this.ledger, rest, this.output) = (ledger, new RestClient(ledger), output);

    [Fact]
    public async Task Rest_never_answers_5xx_and_never_writes_half()
    {
        output.WriteLine($"LP_SEED={seed}");
        var random = new Random(seed);
        var targets = await TargetsAsync();
        var fuzzer = new JsonFuzzer(random);
        var done = 0;
        for (var i = 0; i < LongRun.Of(2_000, 50_000); i++)
        {
            var (method, path, body) = targets[random.Next(targets.Count)];
            path = random.Next(5) == 0 ? Spoil(path, fuzzer, random) : path;
            byte[]? sent = body is null ? null : fuzzer.Mutate(body);
            var key = random.Next(20) switch
            {
                0 => "",
                1 => new string('k', 256),
                2 => "\"quoted\"",
                _ => null,
            };
            var answer = await rest.SendAsync(
                method,
                path,
                sent,
                key,
                ("If-Match", random.Next(3) == 0 ? string.Concat(fuzzer.Text().Where(char.IsAscii)) : "\"1\"")
            );

            RequireDecent(answer, $"{method} {path} {(sent is null ? "" : System.Text.Encoding.UTF8.GetString(sent))}");
            done += answer.Status < 300 ? 1 : 0;
        }

        Assert.True(done > 20, "Nothing came through: that is no test.");
        await RequireBooksAsync();
    }

    [Fact]
    public async Task Grpc_never_fails_for_a_reason_of_its_own_and_never_writes_half()
    {
        output.WriteLine($"LP_SEED={seed}");
        var fuzzer = new MessageFuzzer(ledger, new Random(seed));
        await fuzzer.PrepareAsync();
        for (var i = 0; i < LongRun.Of(2_000, 50_000); i++)
        {
            await fuzzer.SendOneAsync();
        }

        Assert.True(fuzzer.Done > 20, "Nothing came through: that is no test.");
        await RequireBooksAsync();
    }

    private async Task RequireBooksAsync()
    {
        await using var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString);
        (await PostgresBooks.ReadAsync(database, ledger.Merchant)).RequireInvariants();
        Assert.True(
            await ledger.Database.ScalarAsync<bool>(
                """
                SELECT NOT EXISTS (SELECT FROM transactions t WHERE NOT EXISTS (SELECT FROM ledger_entries e WHERE e.transaction_id = t.transaction_id))
                   AND NOT EXISTS (SELECT FROM accounts a WHERE posted_at(account_id, 'infinity', 'infinity')
                                       <> posted + COALESCE((SELECT sum(s.posted) FROM account_stripes s WHERE s.account_id = a.account_id), 0))
                """
            )
        );
    }

    private static void RequireDecent(RestAnswer answer, string what)
    {
        Assert.True(answer.Status < 500, $"{what}\n{answer.Status} {answer.Text}");
        if (answer.Status >= 400)
        {
            Assert.True(
                answer.ContentType == "application/problem+json",
                $"{what}\n{answer.Status} {answer.ContentType} {answer.Text}"
            );
            Assert.False(string.IsNullOrEmpty(answer.Code), answer.Text);
        }

        Assert.False(Inside().IsMatch(answer.Text), $"{what}\n{answer.Text}");
    }

    private static string Spoil(string path, JsonFuzzer fuzzer, Random random)
    {
        var odd = Uri.EscapeDataString(fuzzer.Text().Replace("\\ud800", "", StringComparison.Ordinal));
        return random.Next(2) == 0
            ? $"{path.Split('?')[0]}?{Queries[random.Next(Queries.Length)]}={odd}"
            : Id().Replace(path, odd);
    }

    private static readonly string[] Queries =
    [
        "limit",
        "cursor",
        "from",
        "to",
        "as_of",
        "known_at",
        "format",
        "name",
        "asset",
        "status",
        "reference",
        "kind",
        "reverses",
        "hold_id",
        "dry_run",
        "x",
    ];

    /// <summary>
    /// Every endpoint with a request that is right; what writes is held against the OpenAPI document, so that none is
    /// forgotten.
    /// </summary>
    private async Task<List<(HttpMethod Method, string Path, string? Body)>> TargetsAsync()
    {
        var (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("fuzzed"));
        var member = await rest.OpenAsync("member", asset: "PTS:club");
        var transaction = (await rest.TransferAsync(clearing, card, 1_000_000)).String("id");
        var until = TimeProvider
            .System.GetUtcNow()
            .AddHours(1)
            .ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var placing =
            $$$"""{"reference":"fuzz","amount":5,"sources":[{"account_id":"{{{card}}}","max":9}],"allow_partial":true,"expires_at":"{{{until}}}","metadata":{"a":"b"}}""";
        var hold = (
            await rest.PostAsync(
                "/v1/accounts/holds",
                placing.Replace("\"fuzz\"", "\"first\"", StringComparison.Ordinal)
            )
        ).String("id");
        var posting = $$$"""{"source":"{{{clearing}}}","destination":"{{{card}}}","amount":3}""";
        var item =
            $$$"""{"kind":"load","postings":[{{{posting}}}],"effective_at":"2026-01-01T00:00:00Z","metadata":{"a":"b"}}""";
        List<(HttpMethod Method, string Path, string? Body)> writes =
        [
            (
                HttpMethod.Post,
                "/v1/accounts",
                """{"name":"n","asset":"EUR","unbounded":false,"floor":-5,"ceiling":10,"striped":false}"""
            ),
            (HttpMethod.Patch, $"/v1/accounts/{card}", """{"status":"open","floor":-10,"ceiling":900000000}"""),
            (HttpMethod.Post, "/v1/transactions", item),
            (HttpMethod.Post, "/v1/transactions?dry_run=true", item),
            (HttpMethod.Post, "/v1/transactions/bulk", $$$"""{"items":[{{{item}}},{{{item}}}],"atomic":false}"""),
            (
                HttpMethod.Post,
                "/v1/transactions/earn",
                $$$"""{"account_id":"{{{member}}}","points":10,"value":{"amount":5,"currency":"EUR"},"metadata":{"a":"b"}}"""
            ),
            (
                HttpMethod.Post,
                "/v1/transactions/burn",
                $$$"""{"account_id":"{{{member}}}","points":1,"value":{"amount":5,"currency":"EUR"}}"""
            ),
            (
                HttpMethod.Post,
                $"/v1/transactions/{transaction}/reverse",
                $$$"""{"postings":[{"source":"{{{card}}}","destination":"{{{clearing}}}","amount":1}],"metadata":{"a":"b"}}"""
            ),
            (HttpMethod.Post, "/v1/accounts/holds", placing),
            (
                HttpMethod.Post,
                $"/v1/accounts/holds/{hold}/capture",
                $$$"""{"capture":{"destination":"{{{clearing}}}","postings":[{{{posting}}}]},"amount":1}"""
            ),
            (HttpMethod.Post, $"/v1/accounts/holds/{hold}/extend", $$$"""{"expires_at":"{{{until}}}"}"""),
            (HttpMethod.Post, $"/v1/accounts/holds/{hold}/release", "{}"),
        ];
        var document = JsonSerializer.Deserialize<JsonElement>(
            await ledger.Service.Public.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative))
        );
        var known = writes.Select(w => Id().Replace(w.Path.Split('?')[0], "{id}")).ToHashSet(StringComparer.Ordinal);
        Assert.All(
            document
                .GetProperty("paths")
                .EnumerateObject()
                .Where(p =>
                    p.Name.StartsWith("/v1/", StringComparison.Ordinal)
                    && (p.Value.TryGetProperty("post", out _) || p.Value.TryGetProperty("patch", out _))
                ),
            path => Assert.Contains(path.Name, known)
        );
        return
        [
            .. writes,
            (HttpMethod.Get, "/v1/accounts", null),
            (HttpMethod.Get, $"/v1/accounts/{card}", null),
            (HttpMethod.Get, $"/v1/accounts/{card}/balance", null),
            (HttpMethod.Get, $"/v1/accounts/{card}/entries", null),
            (HttpMethod.Get, $"/v1/accounts/{card}/entries/export", null),
            (HttpMethod.Get, $"/v1/accounts/{card}/statement", null),
            (HttpMethod.Get, "/v1/transactions", null),
            (HttpMethod.Get, $"/v1/transactions/{transaction}", null),
            (HttpMethod.Get, $"/v1/accounts/holds/{hold}", null),
        ];
    }

    [GeneratedRegex("(acc|txn|hld)_[0-9a-z]{26}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();

    [GeneratedRegex(
        @"   at \w|Npgsql|System\.|Exception|SELECT |INSERT ",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Inside();
}
