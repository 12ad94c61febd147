using System.Globalization;
using System.Text;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Cards that were sold elsewhere: checked, taken over, proved by the books, and taken back.</summary>
public sealed class ImportTests(GiftcardProcess api) : IClassFixture<GiftcardProcess>
{
    private const string Strong = "K7QW9ZX2MB";

    [Fact]
    public async Task Cards_are_checked_then_taken_over_and_the_books_prove_the_total()
    {
        var (merchant, key) = api.NewMerchant();
        var import = await CreateAsync(key, "major_units");
        var file = $"""
            Gift Card Code,Balance,Currency,Expires On,Email
            {Strong}AAAAAA,12.50,EUR,2030-01-31,ada@example.test
            {Strong}BBBBBB,7.25,EUR,,
            {Strong}CCCCCC,0.00,EUR,,
            {Strong}AAAAAA,3.00,EUR,,
            """;
        Assert.Equal(1, (await api.UploadAsync(import, 1, file, key: key)).GetProperty("refused").GetInt32());
        // A part that comes again is the same part.
        Assert.Equal(4, (await api.UploadAsync(import, 1, file, key: key)).GetProperty("rows").GetInt32());
        Assert.Equal("part_changed", GiftcardApi.Code(await api.UploadAsync(import, 1, file + "\n", 409, key: key)));

        await StepAsync(import, "check", "checked", key);
        Assert.Equal(
            [$"1,4,CCCC,,EUR,refused,nothing_on_it,,", $"1,5,AAAA,300,EUR,refused,duplicate_code,1:2,"],
            await api.LinesAsync($"/v1/jobs/{import}/errors", key)
        );
        // A dry run up to here: nothing is a card yet.
        Assert.DoesNotContain(
            api.Ledger.Names(merchant.ToString()),
            name => name.StartsWith("card:", StringComparison.Ordinal)
        );

        await StepAsync(import, "commit", "committed", key);
        var job = await api.GetAsync($"/v1/jobs/{import}", key: key);
        Assert.Equal(
            ("done", 2, 2, 2),
            (
                job.GetProperty("state").GetString(),
                job.GetProperty("total").GetInt32(),
                job.GetProperty("done").GetInt32(),
                job.GetProperty("refused").GetInt32()
            )
        );
        Assert.Equal(-1975, api.Ledger.AccountNamed(merchant.ToString(), $"migration:{import}").Posted);
        var card = await api.PostAsync("/v1/gift_cards/lookup", new { code = $"{Strong}-aaaaaa" }, key: key);
        Assert.Equal(("active", 1250), (card.GetProperty("status").GetString(), GiftcardApi.Amount(card, "balance")));
        Assert.Equal("2030-02-01T00:00:00.000Z", card.GetProperty("expires_at").GetString());
        Assert.True(card.TryGetProperty("customer_id", out _));
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption($"{Strong}AAAAAA", 1250), 201, key: key);
        var liability = await api.GetAsync("/v1/reports/liability", key: key);
        Assert.Equal(725, GiftcardApi.Amount(liability.GetProperty("data")[0], "outstanding"));
        Assert.Equal(0, api.Ledger.Total());
        Assert.Equal(0, await api.CountAsync("SELECT count(*) FROM card_import_rows WHERE sealed IS NOT NULL"));
        await Eventually.TrueAsync(() =>
            api.Sidecar.Published.Any(e =>
                e.GetRawText().Contains("gift_card.imported", StringComparison.Ordinal)
                && e.GetRawText().Contains(card.GetProperty("id").GetString()!, StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task A_killed_import_goes_on_where_it_was_and_makes_each_card_once()
    {
        const int cards = 4000;
        var (merchant, key) = api.NewMerchant();
        var import = await CreateAsync(key, "minor_units");
        foreach (var (n, rows) in Enumerable.Range(0, cards).Chunk(1000).Index())
        {
            await api.UploadAsync(import, n + 1, Csv(rows.Select(_ => (CardCode.New(), 100L))), key: key);
        }

        await api.PostAsync($"/v1/gift_cards/import/{import}/check", null, 202, key: key);
        await RestartAsync();
        await api.JobAsync(import, "checked", key);
        await api.PostAsync($"/v1/gift_cards/import/{import}/commit", null, 202, key: key);
        await Eventually.TrueAsync(async () =>
            (await api.GetAsync($"/v1/jobs/{import}", key: key)).GetProperty("done").GetInt32() > 0
        );
        await RestartAsync();
        await api.JobAsync(import, "committed", key);
        Assert.Equal(-100 * cards, api.Ledger.AccountNamed(merchant.ToString(), $"migration:{import}").Posted);
        Assert.Equal(
            cards,
            await api.CountAsync(
                $"""
                SELECT count(DISTINCT a.gift_card_id)
                  FROM gift_card_activities a
                  JOIN gift_cards c USING (gift_card_id)
                 WHERE a.kind = 'import' AND a.amount = 100
                   AND c.status = 'active' AND c.merchant_id = '{merchant.Value}'
                """
            )
        );
        Assert.Equal(
            cards,
            await api.CountAsync(
                $"SELECT count(*) FROM gift_card_activities WHERE kind = 'import' AND merchant_id = '{merchant.Value}'"
            )
        );
        Assert.Equal(0, api.Ledger.Total());
    }

    [Theory]
    [InlineData("open", true)]
    [InlineData("open", false)]
    [InlineData("post", true)]
    [InlineData("post", false)]
    public async Task A_ledger_that_is_silent_before_or_after_its_effect_is_asked_again(string call, bool before)
    {
        var (merchant, key) = api.NewMerchant();
        var import = await CreateAsync(key, "minor_units");
        await api.UploadAsync(import, 1, Csv([(CardCode.New(), 300), (CardCode.New(), 400)]), key: key);
        await StepAsync(import, "check", "checked", key);
        var silence = before ? api.Ledger.DeafTo : api.Ledger.MuteAfter;
        silence[call] = true;
        try
        {
            await api.PostAsync($"/v1/gift_cards/import/{import}/commit", null, 202, key: key);
            await Eventually.TrueAsync(async () =>
                (await api.GetAsync($"/v1/jobs/{import}", key: key)).TryGetProperty("last_error", out var error)
                && error.GetString() == "busy"
            );
        }
        finally
        {
            silence.TryRemove(call, out _);
        }

        await api.SqlAsync("UPDATE tasks SET due_at = now() WHERE due_at IS NOT NULL");
        await api.JobAsync(import, "committed", key);
        Assert.Equal(-700, api.Ledger.AccountNamed(merchant.ToString(), $"migration:{import}").Posted);
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task An_import_is_taken_back_but_for_what_was_touched_since()
    {
        var (merchant, key) = api.NewMerchant();
        var import = await CreateAsync(key, "minor_units");
        string[] codes = [CardCode.New(), CardCode.New(), CardCode.New(), CardCode.New()];
        await api.UploadAsync(import, 1, Csv(codes.Select(c => (c, 1000L))), key: key);
        await StepAsync(import, "check", "checked", key);
        await StepAsync(import, "commit", "committed", key);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(codes[0], 1), 201, key: key);
        // Held and not spent: nothing in the card's history tells, the ledger does.
        var held = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(codes[1], 600, "two_phase"),
            201,
            key: key
        );

        await StepAsync(import, "revert", "reverted", key);
        var job = await api.GetAsync($"/v1/jobs/{import}", key: key);
        Assert.Equal((4, 2), (job.GetProperty("total").GetInt32(), job.GetProperty("done").GetInt32()));
        var states = (await api.LinesAsync($"/v1/gift_cards/import/{import}/report", key)).Select(l => l.Split(',')[5]);
        Assert.Equal(["kept", "kept", "reverted", "reverted"], states);
        Assert.Equal(-2000, api.Ledger.AccountNamed(merchant.ToString(), $"migration:{import}").Posted);
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(await api.PostAsync("/v1/gift_cards/lookup", new { code = codes[2] }, 404, key: key))
        );
        await api.PostAsync($"/v1/redemptions/{held.GetProperty("id").GetString()}/confirm", null, key: key);
        Assert.Equal(
            400,
            GiftcardApi.Amount(
                await api.PostAsync("/v1/gift_cards/lookup", new { code = codes[1] }, key: key),
                "balance"
            )
        );
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task A_code_that_another_card_got_since_the_check_stays_that_cards()
    {
        var (_, key) = api.NewMerchant();
        var code = CardCode.New();
        var first = await CreateAsync(key, "minor_units");
        var second = await CreateAsync(key, "minor_units");
        foreach (var import in (string[])[first, second])
        {
            await api.UploadAsync(import, 1, Csv([(code, 500)]), key: key);
            await StepAsync(import, "check", "checked", key);
        }

        await StepAsync(first, "commit", "committed", key);
        await StepAsync(second, "commit", "committed", key);
        Assert.Equal(
            [$"1,2,{code[^4..]},500,EUR,refused,code_taken,,"],
            await api.LinesAsync($"/v1/jobs/{second}/errors", key)
        );
        var third = await CreateAsync(key, "minor_units");
        Assert.Equal(
            1,
            (await api.UploadAsync(third, 1, Csv([(code, 500)]), key: key)).GetProperty("refused").GetInt32()
        );
    }

    [Fact]
    public async Task What_is_not_wanted_any_more_is_cancelled_and_what_is_another_merchants_is_not_there()
    {
        var import = await CreateAsync(api.Key, "minor_units");
        var (_, stranger) = api.NewMerchant();
        Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/jobs/{import}", 404, stranger)));
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(await api.UploadAsync(import, 1, Csv([(CardCode.New(), 1)]), 404, key: stranger))
        );
        await api.UploadAsync(
            import,
            1,
            """{"code":"K7QW9ZX2MB4T77AA","balance":100}""",
            media: "application/x-ndjson"
        );
        await api.PostAsync($"/v1/gift_cards/import/{import}/commit", null, 409);
        var job = await api.PostAsync($"/v1/jobs/{import}/cancel", null, 202);
        Assert.Equal("cancelled", job.GetProperty("state").GetString());
        Assert.Equal("job_state", GiftcardApi.Code(await api.PostAsync($"/v1/jobs/{import}/cancel", null, 409)));
        Assert.Equal(
            "import_state",
            GiftcardApi.Code(await api.UploadAsync(import, 2, Csv([(CardCode.New(), 1)]), 409))
        );
        await api.RunJobAsync("giftcard-cleanup");
        Assert.Empty(await api.LinesAsync($"/v1/gift_cards/import/{import}/report"));

        var batch = (
            await api.PostAsync(
                "/v1/gift_cards/bulk",
                new { program_id = await api.ProgramAsync(), quantity = 10_000 },
                202
            )
        )
            .GetProperty("id")
            .GetString()!;
        Assert.Equal(
            "cancelled",
            (await api.PostAsync($"/v1/jobs/{batch}/cancel", null, 202)).GetProperty("state").GetString()
        );
        Assert.Empty(await api.LinesAsync($"/v1/jobs/{batch}/errors"));
    }

    [Fact]
    public async Task A_body_that_is_no_file_is_refused()
    {
        var import = await CreateAsync(api.Key, "minor_units");
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.UploadAsync(import, 1, "a,b\n1,2\n", 400)));
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.UploadAsync(import, 1001, "code,balance\n1,2\n", 400))
        );
        Assert.Equal(
            "unsupported_media_type",
            GiftcardApi.Code(await api.UploadAsync(import, 1, "{}", 415, "application/xml"))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards/import",
                    new
                    {
                        program_id = await api.ProgramAsync(),
                        amounts = "major_units",
                        columns = new { colour = "Shade" },
                    },
                    400
                )
            )
        );
    }

    /// <summary>Whoever was killed had its task for a while, which is over now.</summary>
    private async Task RestartAsync()
    {
        await api.RestartAsync();
        await api.SqlAsync("UPDATE tasks SET due_at = now() WHERE due_at IS NOT NULL");
    }

    private async Task<string> CreateAsync(string key, string amounts)
    {
        var order = new { program_id = await api.ProgramAsync(key: key), amounts };
        return (await api.PostAsync("/v1/gift_cards/import", order, 201, key: key)).GetProperty("id").GetString()!;
    }

    private async Task StepAsync(string import, string verb, string step, string key)
    {
        await api.PostAsync($"/v1/gift_cards/import/{import}/{verb}", null, 202, key: key);
        await api.JobAsync(import, step, key);
    }

    private static string Csv(IEnumerable<(string Code, long Balance)> rows) =>
        rows.Aggregate(
                new StringBuilder("code,balance\n"),
                (csv, row) => csv.Append(CultureInfo.InvariantCulture, $"{row.Code},{row.Balance}\n")
            )
            .ToString();
}
