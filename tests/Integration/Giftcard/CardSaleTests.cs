using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

public sealed class CardSaleTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task A_sold_card_has_its_value_in_the_ledger_and_shows_its_code_once()
    {
        var (id, code) = await api.SellAsync(5000);
        Assert.True(CardCode.IsWellFormed(code));

        var card = await api.GetAsync($"/v1/gift_cards/{id}");

        Assert.Equal(5000, GiftcardApi.Amount(card, "balance"));
        Assert.Equal("active", card.GetProperty("status").GetString());
        Assert.False(card.TryGetProperty("code", out _));
        Assert.Equal(5000, api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{id}:paid").Posted);
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task A_repeated_sale_gets_the_same_code_and_no_second_card()
    {
        var program = await api.ProgramAsync();
        var body = new { program_id = program, amount = GiftcardApi.Eur(1000) };
        var first = await api.PostAsync("/v1/gift_cards", body, 201, "sale-1");
        var again = await api.PostAsync("/v1/gift_cards", body, 201, "sale-1");
        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Equal(
            "idempotency_key_reused",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards",
                    new { program_id = program, amount = GiftcardApi.Eur(2000) },
                    422,
                    "sale-1"
                )
            )
        );
    }

    [Fact]
    public async Task A_sale_to_an_address_keeps_only_the_customer()
    {
        var program = await api.ProgramAsync();
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1000),
                recipient = new { email = "ann@example.test", name = "Ann" },
            },
            201
        );
        Assert.StartsWith("cus_", card.GetProperty("customer_id").GetString(), StringComparison.Ordinal);
        await Eventually.TrueAsync(() =>
            api.Sidecar.Published.Any(e =>
                e.GetProperty("topic").GetString() == "giftcard.cards.v1"
                && e.GetRawText().Contains(card.GetProperty("id").GetString()!, StringComparison.Ordinal)
            )
        );
        Assert.DoesNotContain(
            api.Sidecar.Published,
            e =>
                e.GetRawText().Contains("ann@example.test", StringComparison.Ordinal)
                || e.GetRawText().Contains(card.GetProperty("code").GetString()!, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_sale_outside_the_programmes_terms_is_refused()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Small",
                currency = "EUR",
                min_load = GiftcardApi.Eur(500),
                max_load = GiftcardApi.Eur(1000),
            }
        );
        var body = (long amount, string currency) => new { program_id = program, amount = new { amount, currency } };
        Assert.Equal("limit_exceeded", GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", body(499, "EUR"), 422)));
        Assert.Equal("limit_exceeded", GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", body(1001, "EUR"), 422)));
        Assert.Equal(
            "currency_mismatch",
            GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", body(600, "CHF"), 422))
        );
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", body(0, "EUR"), 400)));
    }

    [Fact]
    public async Task A_sale_whose_answer_the_ledger_lost_is_finished_by_the_sweeper_and_by_a_repeat()
    {
        var program = await api.ProgramAsync();
        var body = new { program_id = program, amount = GiftcardApi.Eur(700) };
        api.Ledger.MuteAfter["post"] = true;
        Assert.Equal("busy", GiftcardApi.Code(await api.PostAsync("/v1/gift_cards", body, 503, "sale-lost")));
        api.Ledger.MuteAfter.Clear();

        JsonElement card = default;
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.SendAsync(HttpMethod.Post, "/v1/gift_cards", api.Key, body, "sale-lost");
            card = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
            return (int)answer.StatusCode == 201;
        });
        Assert.Equal(700, GiftcardApi.Amount(card, "balance"));
        Assert.True(CardCode.IsWellFormed(card.GetProperty("code").GetString()!));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Cards_are_listed_newest_first_in_pages_and_only_to_their_merchant()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Insert(0, (await api.SellAsync(100 + i, program, key)).Id);
        }

        var page = await api.GetAsync($"/v1/gift_cards?limit=2&program_id={program}", key: key);
        var rest = await api.GetAsync(
            $"/v1/gift_cards?limit=2&program_id={program}&cursor={page.GetProperty("next_cursor").GetString()}",
            key: key
        );

        Assert.Equal(
            ids,
            page.GetProperty("data")
                .EnumerateArray()
                .Concat(rest.GetProperty("data").EnumerateArray())
                .Select(c => c.GetProperty("id").GetString())
        );
        await api.GetAsync($"/v1/gift_cards/{ids[0]}", 404);
        Assert.Empty((await api.GetAsync($"/v1/gift_cards?program_id={program}")).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Absent_wrong_and_foreign_codes_look_alike()
    {
        var (_, key) = api.NewMerchant();
        var (_, foreign) = await api.SellAsync(1000, key: key);
        var (_, own) = await api.SellAsync(1000);
        var typo = own[..15] + (own[15] == '0' ? '1' : '0');
        foreach (var code in new[] { foreign, typo, CardCode.New(), "x" })
        {
            var problem = await api.PostAsync("/v1/gift_cards/lookup", new { code }, 404);
            Assert.Equal("gift_card_not_usable", GiftcardApi.Code(problem));
            Assert.Equal("The gift card can not be used.", problem.GetProperty("detail").GetString());
        }

        var spaced = $"{own[..4]}-{own[4..8]} {own[8..].ToLowerInvariant()}";
        Assert.Equal(
            1000,
            GiftcardApi.Amount(await api.PostAsync("/v1/gift_cards/lookup", new { code = spaced }), "balance")
        );
    }

    [Fact]
    public async Task Five_wrong_pins_lock_the_card_even_for_the_right_one()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Pinned",
                currency = "EUR",
                pin = "required",
            }
        );
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1000),
                recipient = new { email = "lou@example.test", name = "Lou" },
            },
            201
        );
        var code = card.GetProperty("code").GetString();
        var pin = card.GetProperty("pin").GetString()!;
        await api.PostAsync("/v1/gift_cards/lookup", new { code, pin });
        var wrong = pin == "000000" ? "111111" : "000000";
        await api.PostAsync("/v1/gift_cards/lookup", new { code }, 404);
        for (var i = 0; i < 4; i++)
        {
            await api.PostAsync("/v1/gift_cards/lookup", new { code, pin = wrong }, 404);
        }

        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(await api.PostAsync("/v1/gift_cards/lookup", new { code, pin }, 404))
        );
        // The holder is written to, so the event says who it is.
        var holder = card.GetProperty("customer_id").GetString()!;
        await Eventually.TrueAsync(() =>
            api.Sidecar.Published.Any(e =>
                e.GetRawText().Contains("gift_card.pin_locked", StringComparison.Ordinal)
                && e.GetRawText().Contains(holder, StringComparison.Ordinal)
            )
        );
    }
}
