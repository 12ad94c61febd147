using System.Globalization;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Value whose time is over, value without a home, and cards of many lots.</summary>
public sealed class CardFaultTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Hour = "1 hour";

    [Fact]
    public async Task Fault_06_A_card_whose_time_is_over_takes_nothing_and_gives_nothing_before_the_job_ran()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Short",
                currency = "EUR",
                validity_days = 10,
                cash_out_below = GiftcardApi.Eur(100_000),
            }
        );
        var (id, code) = await api.SellAsync(5000, program);
        var (other, otherCode) = await api.SellAsync(1000, program);
        var reward = await api.PostAsync("/v1/rewards", new { name = "A coffee", amount = GiftcardApi.Eur(300) }, 201);
        await AgeAsync(id);
        foreach (
            var (path, body) in new (string, object?)[]
            {
                ($"/v1/gift_cards/{id}/load", new { amount = GiftcardApi.Eur(2000) }),
                ($"/v1/gift_cards/{id}/load", new { amount = GiftcardApi.Eur(2000), kind = "refund" }),
                ($"/v1/gift_cards/{id}/adjust", new { amount = GiftcardApi.Eur(2000), reason = "why" }),
                ($"/v1/gift_cards/{id}/adjust", new { amount = GiftcardApi.Eur(-2000), reason = "why" }),
                ($"/v1/rewards/{reward.GetProperty("id").GetString()}/redeem", new { gift_card_id = id }),
                ($"/v1/gift_cards/{id}/transfer", new { to = other }),
                ($"/v1/gift_cards/{other}/transfer", new { to = id }),
                ($"/v1/gift_cards/{id}/merge", new { from = new { code = otherCode } }),
                ($"/v1/gift_cards/{other}/merge", new { from = new { code } }),
                ($"/v1/gift_cards/{other}/merge", new { from = new { id } }),
                ($"/v1/gift_cards/{id}/cash_out", null),
                ($"/v1/gift_cards/{id}/block", null),
                ($"/v1/gift_cards/{id}/replace", null),
                ("/v1/redemptions", GiftcardApi.Redemption(code, 1)),
                ("/v1/redemptions/quote", GiftcardApi.Redemption(code, 1)),
                ("/v1/gift_cards/lookup", new { code }),
            }
        )
        {
            Assert.Equal("gift_card_state", GiftcardApi.Code(await api.PostAsync(path, body, 409)));
        }

        var card = await api.GetAsync($"/v1/gift_cards/{id}");
        Assert.Equal(("expired", 0), (card.GetProperty("status").GetString(), GiftcardApi.Amount(card, "balance")));
        Assert.Equal(5000, Posted($"card:{id}:paid"));
        Assert.Contains(
            id,
            (await api.GetAsync($"/v1/gift_cards?program_id={program}&status=expired")).GetRawText(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            id,
            (await api.GetAsync($"/v1/gift_cards?program_id={program}&status=active")).GetRawText(),
            StringComparison.Ordinal
        );
        var extended = await VerbAsync(id, "extend", new { expires_at = TimeProvider.System.GetUtcNow().AddDays(5) });
        Assert.Equal(
            ("active", 5000),
            (extended.GetProperty("status").GetString(), GiftcardApi.Amount(extended, "balance"))
        );
    }

    [Fact]
    public async Task Fault_07_Shown_quoted_spendable_and_movable_value_are_one()
    {
        var program = await api.ProgramAsync();
        var (id, code) = await WithDeadPresentAsync(program);
        var card = await api.GetAsync($"/v1/gift_cards/{id}");
        Assert.Equal(1000, GiftcardApi.Amount(card, "balance"));
        Assert.Equal(1000, GiftcardApi.Amount(await api.PostAsync("/v1/gift_cards/lookup", new { code }), "balance"));
        var listed = (await api.GetAsync($"/v1/gift_cards?program_id={program}")).GetProperty("data")[0];
        Assert.Equal(1000, GiftcardApi.Amount(listed, "balance"));
        var quote = await api.PostAsync("/v1/redemptions/quote", GiftcardApi.Redemption(code, 1300, partial: "allow"));
        Assert.Equal(1000, GiftcardApi.Amount(quote, "approved"));
        var lots = (await api.GetAsync($"/v1/gift_cards/{id}/lots")).GetProperty("data").EnumerateArray();
        Assert.Equal(
            1000,
            lots.Where(l => l.GetProperty("spendable").GetBoolean()).Sum(l => GiftcardApi.Amount(l, "balance"))
        );
        Assert.Equal(
            1500,
            GiftcardApi.Amount(await VerbAsync(id, "load", new { amount = GiftcardApi.Eur(500) }), "balance")
        );

        var (to, _) = await api.SellAsync(1, program);
        await VerbAsync(id, "transfer", new { to });
        Assert.Equal((0, 1501), (await BalanceAsync(id), await BalanceAsync(to)));
        await VerbAsync(id, "close", null);
        Assert.Equal(0, Posted($"card:{id}:paid"));
        await ActivitiesAddUpAsync(id);
    }

    [Fact]
    public async Task Fault_07_A_card_with_a_dead_present_is_merged_and_replaced_and_the_present_becomes_breakage()
    {
        var program = await api.ProgramAsync();
        var breakage = Breakage();
        var (from, _) = await WithDeadPresentAsync(program);
        var (to, _) = await api.SellAsync(1, program);
        Assert.Equal(
            1001,
            GiftcardApi.Amount(await VerbAsync(to, "merge", new { from = new { id = from } }), "balance")
        );
        var (old, _) = await WithDeadPresentAsync(program);
        var heir = await VerbAsync(old, "replace", null, 201);
        Assert.Equal(1000, GiftcardApi.Amount(heir, "balance"));
        Assert.Equal(600, Breakage() - breakage);
        foreach (var id in (string[])[from, to, old, heir.GetProperty("id").GetString()!])
        {
            await ActivitiesAddUpAsync(id);
        }
    }

    [Fact]
    public async Task Fault_08_A_refund_finds_the_heir_through_merges_and_replacements()
    {
        var program = await api.ProgramAsync();
        var (first, code) = await api.SellAsync(1000, program);
        var (second, _) = await api.SellAsync(1, program);
        var paid = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 400), 201))
            .GetProperty("id")
            .GetString();
        await VerbAsync(second, "merge", new { from = new { id = first } });
        Assert.Equal(second, (await api.GetAsync($"/v1/gift_cards/{first}")).GetProperty("replaced_by").GetString());
        await api.PostAsync($"/v1/redemptions/{paid}/refunds", new { amount = GiftcardApi.Eur(100) }, 201);
        await Eventually.TrueAsync(async () => await BalanceAsync(second) == 701);
        var third = (await VerbAsync(second, "replace", null, 201)).GetProperty("id").GetString()!;
        var (fourth, _) = await api.SellAsync(2, program);
        await VerbAsync(fourth, "merge", new { from = new { id = third } });
        await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 201);
        await Eventually.TrueAsync(async () => await BalanceAsync(fourth) == 1003);
        foreach (var id in (string[])[first, second, third, fourth])
        {
            await ActivitiesAddUpAsync(id);
        }
    }

    [Theory]
    [InlineData(true, "gift_card_expired")]
    [InlineData(false, "gift_card_closed")]
    public async Task Fault_08_One_card_that_takes_nothing_back_does_not_block_the_other_ones_share(
        bool expires,
        string why
    )
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Short",
                currency = "EUR",
                validity_days = 10,
            }
        );
        var (first, firstCode) = await api.SellAsync(500, program);
        var (second, secondCode) = await api.SellAsync(1000, program);
        var paid = (
            await api.PostAsync(
                "/v1/redemptions",
                new
                {
                    mode = "immediate",
                    amount = GiftcardApi.Eur(800),
                    sources = new[]
                    {
                        new { gift_card = new { code = firstCode } },
                        new { gift_card = new { code = secondCode } },
                    },
                },
                201
            )
        ).GetProperty("id").GetString();
        await (expires ? AgeAsync(first) : VerbAsync(first, "close", null));

        var refused = await api.PostAsync(
            $"/v1/redemptions/{paid}/refunds",
            new { amount = GiftcardApi.Eur(800) },
            409
        );
        Assert.Equal(("gift_card_state", 300), (GiftcardApi.Code(refused), GiftcardApi.Amount(refused, "refundable")));
        Assert.Equal(why, refused.GetProperty("not_refunded")[0].GetProperty("code").GetString());
        var refund = await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 201);
        var left = refund.GetProperty("not_refunded")[0];
        Assert.Equal(
            (300, first, 500),
            (
                GiftcardApi.Amount(refund, "amount"),
                left.GetProperty("gift_card_id").GetString(),
                GiftcardApi.Amount(left, "amount")
            )
        );
        Assert.NotEmpty(left.GetProperty("what_to_do").GetString()!);
        Assert.Equal(1000, await BalanceAsync(second));
        Assert.Equal(
            "partially_refunded",
            (await api.GetAsync($"/v1/redemptions/{paid}")).GetProperty("state").GetString()
        );
        Assert.Equal(
            "gift_card_state",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 409))
        );
        if (expires)
        {
            await VerbAsync(first, "extend", new { expires_at = TimeProvider.System.GetUtcNow().AddDays(5) });
            await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 201);
            Assert.Equal(500, await BalanceAsync(first));
        }
    }

    [Fact]
    public async Task Fault_09_Empty_lots_do_not_count_against_the_limit()
    {
        var (id, code) = await api.SellAsync(1);
        for (var day = 1; day <= 20; day++)
        {
            await VerbAsync(
                id,
                "load",
                new
                {
                    amount = GiftcardApi.Eur(1),
                    kind = "promo",
                    expires_at = TimeProvider.System.GetUtcNow().AddDays(day),
                }
            );
            await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201);
        }

        Assert.Equal(
            1,
            GiftcardApi.Amount(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201), "captured")
        );
        Assert.Equal(
            "insufficient_balance",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 422))
        );
    }

    /// <summary>A card with 1,000 paid and 300 given, whose time has run out.</summary>
    private async Task<(string Id, string Code)> WithDeadPresentAsync(string program)
    {
        var (id, code) = await api.SellAsync(1000, program);
        await VerbAsync(
            id,
            "load",
            new
            {
                amount = GiftcardApi.Eur(300),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(1),
            }
        );
        await api.SqlAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"UPDATE gift_card_lots SET expires_at = now() - interval '{Hour}' "
                    + $"WHERE kind = 'promo' AND gift_card_id = '{GiftcardApi.CardUuid(id)}'"
            )
        );
        return (id, code);
    }

    private Task AgeAsync(string id) =>
        api.SqlAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                UPDATE gift_cards SET expires_at = now() - interval '{Hour}' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                    id
                )}';
                UPDATE gift_card_lots SET expires_at = now() - interval '{Hour}'
                 WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}'
                """
            )
        );

    private long Posted(string account) => api.Ledger.AccountNamed(api.Merchant.ToString(), account).Posted;

    private long Breakage() =>
        api.Ledger.Names(api.Merchant.ToString()).Contains("programme:breakage") ? Posted("programme:breakage") : 0;

    private Task<JsonElement> VerbAsync(string id, string verb, object? body, int status = 200) =>
        api.PostAsync($"/v1/gift_cards/{id}/{verb}", body, status);

    private async Task<long> BalanceAsync(string id) =>
        GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance");

    /// <summary>The outcome of an operation is written a moment after the ledger has moved the value.</summary>
    private async Task ActivitiesAddUpAsync(string id)
    {
        var told = "";
        await Eventually.TrueAsync(
            async () =>
            {
                var card = await api.GetAsync($"/v1/gift_cards/{id}");
                var last = (await api.GetAsync($"/v1/gift_cards/{id}/activities")).GetProperty("data")[0];
                told = $"{card.GetRawText()}\n{last.GetRawText()}";
                return GiftcardApi.Amount(card, "balance") + GiftcardApi.Amount(card, "held")
                    == GiftcardApi.Amount(last, "balance_after");
            },
            because: () => told
        );
        Assert.Equal(0, api.Ledger.Total());
    }
}
