using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Giftcard.Reports;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// What may be recognised of value that nobody spends: worked examples of both methods of IFRS 15, and the ledger's
/// accounts to the cent.
/// </summary>
public sealed class BreakageTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task What_was_redeemed_expired_and_is_left_is_what_the_ledger_has()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        await PutRateAsync(program, 1000, key);
        var (card, code) = await api.SellAsync(10_001, program, key);
        var (spent, other) = await api.SellAsync(3_000, program, key);
        var bought = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 4_567), 201, key: key);
        await api.PostAsync(
            $"/v1/redemptions/{bought.GetProperty("id").GetString()}/refunds",
            new { amount = GiftcardApi.Eur(67) },
            201,
            key: key
        );
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(other, 1_000), 201, key: key);
        await api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = clock_timestamp() WHERE gift_card_id = '{GiftcardApi.CardUuid(spent)}';
            UPDATE gift_card_lots SET expires_at = clock_timestamp()
             WHERE gift_card_id = '{GiftcardApi.CardUuid(spent)}'
            """
        );
        await api.RunJobAsync("expired-giftcards");
        var line = Assert.Single(await LinesAsync(Month.Of(TimeProvider.System.GetUtcNow()), key));
        Assert.Equal(Posted(merchant, "merchant:payable"), GiftcardApi.Amount(line, "redeemed"));
        Assert.Equal(Posted(merchant, "programme:breakage"), GiftcardApi.Amount(line, "expired"));
        Assert.Equal(
            Posted(merchant, $"card:{card}:paid") + Posted(merchant, $"card:{spent}:paid"),
            GiftcardApi.Amount(line, "outstanding")
        );
        Assert.Equal(13_001, GiftcardApi.Amount(line, "loaded"));
        Assert.Equal(
            (5_500, 2_000, 5_501),
            (
                GiftcardApi.Amount(line, "redeemed"),
                GiftcardApi.Amount(line, "expired"),
                GiftcardApi.Amount(line, "outstanding")
            )
        );
        // A tenth of 13,001 is expected; 2,000 have expired already.
        var proportional = line.GetProperty("proportional");
        Assert.Equal(2_000, GiftcardApi.Amount(proportional, "to_date"));
        Assert.Equal(2_000, GiftcardApi.Amount(proportional, "in_month"));
        Assert.Equal(2_000, GiftcardApi.Amount(line.GetProperty("remote"), "to_date"));
    }

    [Fact]
    public async Task Half_of_the_expected_redemptions_recognise_half_of_the_expected_breakage()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var card = await CardAsync(program);
        var other = await CardAsync(program);
        await ActAsync(card, "activate", 100_000, "2025-01-10");
        await ActAsync(card, "redeem", -45_000, "2025-01-20");
        await ActAsync(card, "redeem", -30_000, "2025-02-20");
        await ActAsync(card, "refund", 3_000, "2025-03-20");
        await ActAsync(other, "activate", 1, "2025-04-01");
        await ActAsync(card, "redeem", -28_000, "2025-04-20");
        await ActAsync(other, "redeem", -1, "2025-04-20");
        await api.SqlAsync($"INSERT INTO breakage_rates VALUES ('{Uuid(program)}', '2024-12-01', 1000, now())");
        var lines = await LinesAsync("2025-01", "2025-05", key);
        Assert.Equal(
            [
                // 45,000 of the 90,000 that are expected: 5,000 of 10,000.
                ("2025-01", "programme", 5_000, 5_000),
                ("2025-02", "programme", 8_333, 3_333),
                // Less was redeemed after all.
                ("2025-03", "programme", 8_000, -333),
                // Everything was spent: nothing may be kept.
                ("2025-04", "programme", 0, -8_000),
                ("2025-05", "programme", 0, 0),
            ],
            lines.Select(Proportional)
        );
    }

    [Fact]
    public async Task Value_becomes_remote_after_months_without_a_use_and_comes_back_with_one()
    {
        var (_, key) = api.NewMerchant();
        var card = await CardAsync(await api.ProgramAsync(key: key));
        await ActAsync(card, "activate", 5_000, "2024-01-10");
        await ActAsync(card, "redeem", -1_000, "2024-02-10");
        await ActAsync(card, "redeem", -500, "2025-04-15");
        await ActAsync(card, "expire", -3_500, "2025-05-01");
        var lines = await LinesAsync("2025-01", "2025-06", key, 12);
        Assert.Equal(
            [("2025-01", 0, 0), ("2025-02", 4_000, 4_000), ("2025-03", 4_000, 0), ("2025-04", 0, -4_000)],
            lines.Take(4).Select(Remote)
        );
        Assert.Equal([("2025-05", 3_500, 3_500), ("2025-06", 3_500, 0)], lines.Skip(4).Select(Remote));
        // What is asked for later says the same of the same months.
        Assert.Equal(lines[2].GetRawText(), (await LinesAsync("2025-03", "2025-03", key, 12))[0].GetRawText());
    }

    [Fact]
    public async Task Without_a_rate_of_its_own_a_programme_expects_what_its_old_cards_show()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var (full, left) = (await CardAsync(program), await CardAsync(program));
        var young = await CardAsync(program);
        await ActAsync(full, "activate", 6_000, "2023-01-10");
        await ActAsync(full, "redeem", -6_000, "2023-01-20");
        await ActAsync(left, "activate", 2_000, "2023-01-10");
        await ActAsync(left, "redeem", -1_200, "2023-01-20");
        await ActAsync(young, "activate", 50_000, "2025-01-10");
        var lines = await LinesAsync("2024-12", "2025-01", key);
        Assert.Equal(("2024-12", "none", 0, 0), Proportional(lines[0]));
        // Of 8,000 that are two years old 800 are left: a tenth. 7,200 of an expected 52,200 came: 800 of 5,800.
        Assert.Equal(("2025-01", "history", 800, 800), Proportional(lines[1]));
        Assert.Equal(1000, lines[1].GetProperty("proportional").GetProperty("rate_basis_points").GetInt32());
    }

    [Fact]
    public async Task A_rate_counts_from_its_month_on_and_only_for_the_owner()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var set = await PutRateAsync(program, 800, key);
        Assert.Equal(set.GetRawText(), (await PutRateAsync(program, 800, key)).GetRawText());
        Assert.Equal(800, set.GetProperty("expected_basis_points").GetInt32());
        Assert.Equal("not_found", GiftcardApi.Code(await PutRateAsync(program, 1, stranger, 404)));
        Assert.Equal("invalid_request", GiftcardApi.Code(await PutRateAsync(program, 10_000, key, 400)));
        foreach (
            var bad in (string[])
                [
                    "from=2025-01&to=2024-12",
                    "from=2020-01&to=2023-01",
                    "from=2025-13&to=2025-13",
                    "from=2999-01&to=2999-01",
                    "from=2025-01&to=2025-01&remote_after_months=0",
                ]
        )
        {
            await api.GetAsync($"/v1/reports/breakage/recognition?{bad}", 400, key);
        }

        Assert.Empty(await LinesAsync("2025-01", "2025-01", stranger));
    }

    [Fact]
    public void What_is_recognised_lies_between_what_expired_and_what_was_not_spent_and_ends_at_what_expired()
    {
        var random = new Random(11);
        for (var n = 0; n < 5_000; n++)
        {
            var (redeemed, expired) = (random.NextInt64(0, 1L << 50), random.NextInt64(0, 1L << 50));
            var outstanding = random.NextInt64(0, 1L << 50);
            var rate = random.Next(0, 10_001);
            var recognized = BreakageMonths.Recognized(rate, redeemed, expired, outstanding);
            Assert.InRange(recognized, expired, expired + outstanding);
            Assert.Equal(expired, BreakageMonths.Recognized(rate, redeemed, expired, 0));
        }
    }

    private static (string, string, long, long) Proportional(JsonElement line)
    {
        var part = line.GetProperty("proportional");
        return (
            line.GetProperty("month").GetString()!,
            part.GetProperty("rate_from").GetString()!,
            GiftcardApi.Amount(part, "to_date"),
            GiftcardApi.Amount(part, "in_month")
        );
    }

    private static (string, long, long) Remote(JsonElement line)
    {
        var part = line.GetProperty("remote");
        return (
            line.GetProperty("month").GetString()!,
            GiftcardApi.Amount(part, "to_date"),
            GiftcardApi.Amount(part, "in_month")
        );
    }

    private Task<JsonElement[]> LinesAsync(DateOnly month, string key) =>
        LinesAsync(Month.Name(month), Month.Name(month), key);

    private async Task<JsonElement[]> LinesAsync(string from, string to, string key, int? remote = null) =>
        [
            .. (
                await api.GetAsync(
                    $"/v1/reports/breakage/recognition?from={from}&to={to}"
                        + (remote is null ? "" : $"&remote_after_months={remote}"),
                    key: key
                )
            )
                .GetProperty("data")
                .EnumerateArray(),
        ];

    private async Task<JsonElement> PutRateAsync(string program, int? rate, string key, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/programs/{program}/breakage_rate")
        {
            Content = JsonContent.Create(new { expected_basis_points = rate }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await api.Service.Public.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static Guid Uuid(string program) =>
        Ids.TryParse<ProgramId>(program, out var id) ? id.Value : throw new FormatException(program);

    /// <summary>A card without any past: what it did is written by the test.</summary>
    private async Task<Guid> CardAsync(string program)
    {
        var card = Guid.CreateVersion7();
        await api.SqlAsync(
            $"""
            INSERT INTO gift_cards (gift_card_id, merchant_id, program_id, code_hash, last4, status, currency,
                   created_at)
            SELECT '{card}', merchant_id, program_id, sha256('{card}'), '0000', 'active', 'EUR', '2020-01-01'
              FROM programs
             WHERE program_id = '{Uuid(program)}'
            """
        );
        return card;
    }

    private Task ActAsync(Guid card, string kind, long amount, string day) =>
        api.SqlAsync(
            $"""
            INSERT INTO gift_card_activities (activity_id, gift_card_id, merchant_id, kind, amount, currency,
                   occurred_at)
            SELECT '{Guid.CreateVersion7()}', gift_card_id, merchant_id, '{kind}', {amount}, 'EUR', '{day} 12:00+00'
              FROM gift_cards
             WHERE gift_card_id = '{card}'
            """
        );

    private long Posted(MerchantId merchant, string account) =>
        api.Ledger.Names(merchant.ToString()).Contains(account)
            ? api.Ledger.AccountNamed(merchant.ToString(), account).Posted
            : 0;
}
