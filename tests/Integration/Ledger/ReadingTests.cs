using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Unit.Ledger.Support;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>What the books say: now, as of then, as known then, in pages, statements, streams and exports.</summary>
public sealed class ReadingTests : IClassFixture<LedgerProcess>
{
    private readonly LedgerProcess ledger;
    private readonly RestClient rest;

    public ReadingTests(LedgerProcess ledger) => (this.ledger, rest) = (ledger, new RestClient(ledger));

    [Fact]
    public async Task A_striped_account_is_the_sum_of_its_stripes_and_has_neither_floor_nor_holds()
    {
        var (clearing, hot) = (
            await rest.OpenAsync("outside", unbounded: true),
            await rest.OpenAsync("hot", striped: true)
        );
        await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => rest.TransferAsync(clearing, hot, 1)));
        await rest.TransferAsync(hot, clearing, 1_000);

        var account = await rest.GetAsync($"/v1/accounts/{hot}");
        Assert.Equal(
            (-700L, 301L, true),
            (account.Number("posted"), account.Number("version"), account["striped"].GetBoolean())
        );
        Assert.Equal(
            -700,
            (await rest.GetAsync($"/v1/accounts/{hot}/balance?as_of=2100-01-01T00:00:00Z")).Number("posted")
        );
        Assert.True(
            await ledger.Database.ScalarAsync<bool>("SELECT count(stripe) > 1 FROM account_stripes WHERE posted <> 0")
        );
        var held = await rest.PostAsync(
            "/v1/accounts/holds",
            new
            {
                reference = "hot",
                amount = 1,
                sources = new[] { new { account_id = hot } },
                expires_at = InAnHour,
            }
        );
        Assert.Equal((400, "invalid_request"), (held.Status, held.Code));
        Assert.Equal(
            400,
            (
                await rest.PostAsync(
                    "/v1/accounts",
                    new
                    {
                        name = "hot-2",
                        asset = "EUR",
                        striped = true,
                        floor = 0,
                    }
                )
            ).Status
        );
        Assert.Equal(301, (await AllEntriesAsync(hot, "")).Count);
    }

    [Fact]
    public async Task A_balance_as_of_then_and_as_known_then_are_two_questions()
    {
        var (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("bitemporal"));
        await rest.TransferAsync(clearing, card, 100);
        var afterFirst = (await LastAsync(card)).GetProperty("recorded_at").GetString()!;
        await Eventually.TrueAsync(async () =>
            await ledger.Database.ScalarAsync<bool>(
                $"SELECT clock_timestamp() > '{afterFirst}'::timestamptz + interval '2 ms'"
            )
        );
        await rest.PostAsync(
            "/v1/transactions",
            new
            {
                kind = "backdated",
                effective_at = "2020-01-01T00:00:00Z",
                postings = new[]
                {
                    new
                    {
                        source = clearing,
                        destination = card,
                        amount = 20,
                    },
                },
            }
        );
        await rest.PostAsync(
            "/v1/transactions",
            new
            {
                kind = "ahead",
                effective_at = "2150-01-01T00:00:00Z",
                postings = new[]
                {
                    new
                    {
                        source = clearing,
                        destination = card,
                        amount = 3,
                    },
                },
            }
        );

        async Task<long> At(string query) =>
            (await rest.GetAsync($"/v1/accounts/{card}/balance{query}")).Number("posted");

        Assert.Equal(123, await At(""));
        Assert.Equal(20, await At("?as_of=2021-01-01T00:00:00Z"));
        Assert.Equal(0, await At("?as_of=2019-12-31T23:59:59.999Z"));
        Assert.Equal(20, await At("?as_of=2020-01-01T00:00:00Z"));
        Assert.Equal(120, await At("?as_of=2149-12-31T00:00:00Z"));
        Assert.Equal(100, await At($"?known_at={afterFirst}"));
        Assert.Equal(0, await At($"?as_of=2021-01-01T00:00:00Z&known_at={afterFirst}"));
        Assert.Equal(123, await At("?as_of=2199-01-01T00:00:00Z&known_at=2199-01-01T00:00:00Z"));
        Assert.Equal(0, await At("?known_at=2001-01-01T00:00:00%2B05:00"));
    }

    [Fact]
    public async Task A_statement_opens_adds_and_closes()
    {
        var (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("statement"));
        await rest.TransferAsync(clearing, card, 100);
        var from = (await LastAsync(card)).GetProperty("recorded_at").GetString()!;
        await Eventually.TrueAsync(async () =>
            await ledger.Database.ScalarAsync<bool>(
                $"SELECT clock_timestamp() > '{from}'::timestamptz + interval '2 ms'"
            )
        );
        await rest.TransferAsync(clearing, card, 40);
        await rest.TransferAsync(card, clearing, 15);

        var all = await rest.GetAsync($"/v1/accounts/{card}/statement");
        var later = await rest.GetAsync(
            $"/v1/accounts/{card}/statement?from={DateTimeOffset.Parse(from, CultureInfo.InvariantCulture).AddMilliseconds(1):yyyy-MM-ddTHH:mm:ss.fffZ}"
        );

        Assert.Equal(
            (0L, 140L, 15L, 125L, 3L),
            (
                all.Number("opening"),
                all.Number("credits"),
                all.Number("debits"),
                all.Number("closing"),
                all.Number("entries")
            )
        );
        Assert.Equal(
            (100L, 40L, 15L, 125L, 2L),
            (
                later.Number("opening"),
                later.Number("credits"),
                later.Number("debits"),
                later.Number("closing"),
                later.Number("entries")
            )
        );
        Assert.Equal(
            400,
            (
                await rest.GetAsync($"/v1/accounts/{card}/statement?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z")
            ).Status
        );
    }

    [Fact]
    public async Task Pages_have_each_entry_once_while_others_are_written()
    {
        var (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("pages"));
        for (var i = 0; i < 25; i++)
        {
            await rest.TransferAsync(clearing, card, 1);
        }

        var sequences = (await AllEntriesAsync(card, "limit=7", between: () => rest.TransferAsync(clearing, card, 1)))
            .Select(e => e.GetProperty("sequence").GetInt64())
            .ToList();

        Assert.Equal(Enumerable.Range(1, 25).Reverse().Select(i => (long)i), sequences);
        var cursor = (await rest.GetAsync($"/v1/accounts/{card}/entries?limit=7")).String("next_cursor");
        Assert.Equal(400, (await rest.GetAsync($"/v1/accounts/{clearing}/entries?limit=7&cursor={cursor}")).Status);
        Assert.Equal(400, (await rest.GetAsync($"/v1/accounts/{card}/entries?limit=7&cursor=x{cursor}")).Status);
    }

    [Fact]
    public async Task Exports_and_streams_have_every_entry_and_the_service_does_not_grow_with_them()
    {
        var (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("export"));
        var bulks = LongRun.Of(8, 60);
        var items = Enumerable
            .Repeat(
                new
                {
                    kind = "load",
                    postings = new[]
                    {
                        new
                        {
                            source = clearing,
                            destination = card,
                            amount = 1,
                        },
                    },
                },
                1_000
            )
            .ToArray();
        for (var i = 0; i < bulks; i++)
        {
            Assert.Equal(200, (await rest.PostAsync("/v1/transactions/bulk", new { items })).Status);
        }

        await rest.TransferAsync(clearing, card, 7, reference: "=cmd(),\"x\"");
        var count = (bulks * 1_000) + 1;
        var lines = (await rest.GetAsync($"/v1/accounts/{card}/entries/export")).Text.Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        var before = ((ServiceProcess)ledger.Service).ResidentBytes;
        var csv = (
            await Task.WhenAll(
                Enumerable.Range(0, 4).Select(_ => rest.GetAsync($"/v1/accounts/{card}/entries/export?format=csv"))
            )
        )[0];

        Assert.Equal(
            Enumerable.Range(1, count).Select(i => (long)i),
            lines.Select(l => JsonSerializer.Deserialize<JsonElement>(l).GetProperty("sequence").GetInt64())
        );
        Assert.Equal(
            ("text/csv", count + 1),
            (csv.ContentType, csv.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length)
        );
        Assert.Contains("\"'=cmd(),\"\"x\"\"\"", csv.Text, StringComparison.Ordinal);
        Assert.InRange(((ServiceProcess)ledger.Service).ResidentBytes - before, long.MinValue, 96 << 20);
        var request = new StreamEntriesRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            AccountId = card,
            AfterSequence = 10,
        };
        var streamed = await ledger
            .Client.StreamEntries(request, ledger.Options)
            .ResponseStream.ReadAllAsync()
            .Select(e => e.Sequence)
            .ToListAsync();
        Assert.Equal(Enumerable.Range(11, count - 10).Select(i => (long)i), streamed);
    }

    [Fact]
    public async Task Each_entry_is_published_with_the_next_sequence_of_its_account_and_nothing_that_was_refused()
    {
        var (clearing, hot, card) = (
            await rest.OpenAsync("clearing-events", unbounded: true),
            await rest.OpenAsync("hot-events", striped: true),
            await rest.OpenAsync("card-events")
        );
        ledger.Sidecar.BrokerUp = false;
        await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => rest.TransferAsync(clearing, i % 2 == 0 ? hot : card, 1))
        );
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => rest.TransferAsync(card, clearing, 1_000)));
        Assert.DoesNotContain(clearing, Published().Select(e => e.Key));
        ledger.Sidecar.BrokerUp = true;

        await Eventually.TrueAsync(() => Published().Count(e => Is(e, clearing)) == 200, TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => Published().Count(e => Is(e, hot) || Is(e, card)) == 200);

        foreach (var key in Published().Where(e => Is(e, clearing) || Is(e, hot) || Is(e, card)).GroupBy(e => e.Key))
        {
            Assert.Equal(Enumerable.Range(1, key.Count()).Select(i => (long)i), key.Select(e => e.Sequence).Order());
        }
    }

    private static string InAnHour =>
        TimeProvider.System.GetUtcNow().AddHours(1).ToString("O", CultureInfo.InvariantCulture);

    private static bool Is((string Key, long Sequence) e, string account) =>
        e.Key.StartsWith(account, StringComparison.Ordinal);

    private List<(string Key, long Sequence)> Published() =>
        [
            .. ledger
                .Sidecar.Published.Select(e => e.GetProperty("event").GetProperty("data"))
                .Select(data => (data.GetProperty("key").GetString()!, data.GetProperty("sequence").GetInt64()))
                .Distinct(),
        ];

    private async Task<JsonElement> LastAsync(string account) =>
        (await rest.GetAsync($"/v1/accounts/{account}/entries?limit=1"))["data"][0];

    private async Task<List<JsonElement>> AllEntriesAsync(string account, string query, Func<Task>? between = null)
    {
        var found = new List<JsonElement>();
        for (var cursor = ""; ; )
        {
            var page = await rest.GetAsync($"/v1/accounts/{account}/entries?{query}{cursor}");
            Assert.True(page.Status == 200, page.Text);
            found.AddRange(page["data"].EnumerateArray());
            if (!page["has_more"].GetBoolean())
            {
                return found;
            }

            cursor = $"&cursor={page.String("next_cursor")}";
            await (between?.Invoke() ?? Task.CompletedTask);
        }
    }
}
