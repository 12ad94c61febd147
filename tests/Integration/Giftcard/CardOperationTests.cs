using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

public sealed class CardOperationTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task Loads_add_value_within_the_programmes_terms()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Terms",
                currency = "EUR",
                max_load = GiftcardApi.Eur(5000),
                max_balance = GiftcardApi.Eur(6000),
            }
        );
        var (id, _) = await api.SellAsync(3000, program);
        Assert.Equal(
            5000,
            GiftcardApi.Amount(await VerbAsync(id, "load", new { amount = GiftcardApi.Eur(2000) }), "balance")
        );
        Assert.Equal(
            "limit_exceeded",
            GiftcardApi.Code(await VerbAsync(id, "load", new { amount = GiftcardApi.Eur(1001) }, 422))
        );
        Assert.Equal(
            "currency_mismatch",
            GiftcardApi.Code(await VerbAsync(id, "load", new { amount = new { amount = 1, currency = "CHF" } }, 422))
        );
        await api.PostAsync(
            $"/v1/gift_cards/{id}/load",
            new { amount = GiftcardApi.Eur(500) },
            idempotencyKey: "load-once"
        );
        await api.PostAsync(
            $"/v1/gift_cards/{id}/load",
            new { amount = GiftcardApi.Eur(500) },
            idempotencyKey: "load-once"
        );
        Assert.Equal(5500, await BalanceAsync(id));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task A_card_made_without_value_is_activated_once()
    {
        var program = await api.ProgramAsync();
        var card = await api.PostAsync("/v1/gift_cards", new { program_id = program }, 201);
        var id = card.GetProperty("id").GetString()!;
        Assert.Equal("pending", card.GetProperty("status").GetString());
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(
                await api.PostAsync("/v1/gift_cards/lookup", new { code = card.GetProperty("code").GetString() }, 404)
            )
        );
        Assert.Equal(
            "active",
            (await VerbAsync(id, "activate", new { amount = GiftcardApi.Eur(900) })).GetProperty("status").GetString()
        );
        Assert.Equal(
            "gift_card_state",
            GiftcardApi.Code(await VerbAsync(id, "activate", new { amount = GiftcardApi.Eur(900) }, 409))
        );
        Assert.Equal(900, await BalanceAsync(id));
    }

    [Fact]
    public async Task A_blocked_card_takes_no_new_hold_but_keeps_the_one_it_has_even_without_the_ledger()
    {
        var (id, code) = await api.SellAsync(1000);
        var held = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 400, "two_phase"), 201))
            .GetProperty("id")
            .GetString();
        api.Ledger.DeafTo["get_accounts"] = true;
        var blocked = await VerbAsync(id, "block", new { reason = "reported stolen" });
        api.Ledger.DeafTo.Clear();
        Assert.Equal("blocked", blocked.GetProperty("status").GetString());
        Assert.False(blocked.TryGetProperty("balance", out _));
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 404))
        );
        Assert.Equal(
            "completed",
            (await api.PostAsync($"/v1/redemptions/{held}/confirm", null)).GetProperty("state").GetString()
        );
        Assert.Equal(600, GiftcardApi.Amount(await VerbAsync(id, "unblock", null), "balance"));
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 201);
    }

    [Fact]
    public async Task Presents_are_spent_first_and_a_refund_returns_what_was_spent_last()
    {
        var (id, code) = await api.SellAsync(1000);
        await VerbAsync(
            id,
            "load",
            new
            {
                amount = GiftcardApi.Eur(300),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(30),
            }
        );
        var redemption = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 500), 201))
            .GetProperty("id")
            .GetString();
        Assert.Equal(800, api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{id}:paid").Posted);
        await api.PostAsync($"/v1/redemptions/{redemption}/refunds", new { amount = GiftcardApi.Eur(250) }, 201);
        Assert.Equal(1000, api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{id}:paid").Posted);
        Assert.Equal(1050, await BalanceAsync(id));
        await ActivitiesAddUpAsync(id);
    }

    [Fact]
    public async Task An_adjustment_goes_both_ways_and_never_below_zero()
    {
        var (id, _) = await api.SellAsync(1000);
        await VerbAsync(id, "adjust", new { amount = GiftcardApi.Eur(200), reason = "goodwill" });
        await VerbAsync(id, "adjust", new { amount = GiftcardApi.Eur(-700), reason = "sold at the wrong price" });
        var refused = await VerbAsync(id, "adjust", new { amount = GiftcardApi.Eur(-501), reason = "too much" }, 422);
        Assert.Equal(
            ("insufficient_balance", 500),
            (GiftcardApi.Code(refused), GiftcardApi.Amount(refused, "available"))
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await VerbAsync(id, "adjust", new { amount = GiftcardApi.Eur(1) }, 400))
        );
        await ActivitiesAddUpAsync(id);
    }

    [Fact]
    public async Task A_transfer_moves_value_and_what_it_is()
    {
        var (from, _) = await api.SellAsync(1000);
        var (to, _) = await api.SellAsync(100);
        await VerbAsync(
            from,
            "load",
            new
            {
                amount = GiftcardApi.Eur(300),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(30),
            }
        );
        await VerbAsync(from, "transfer", new { to, amount = GiftcardApi.Eur(400) });
        Assert.Equal((900, 500), (await BalanceAsync(from), await BalanceAsync(to)));
        await VerbAsync(from, "transfer", new { to });
        Assert.Equal((0, 1400), (await BalanceAsync(from), await BalanceAsync(to)));
        Assert.Equal("insufficient_balance", GiftcardApi.Code(await VerbAsync(from, "transfer", new { to }, 422)));
        Assert.Equal("invalid_request", GiftcardApi.Code(await VerbAsync(to, "transfer", new { to }, 400)));
        await ActivitiesAddUpAsync(from);
        await ActivitiesAddUpAsync(to);
        await VerbAsync(from, "close", null);
        Assert.Equal("gift_card_state", GiftcardApi.Code(await VerbAsync(to, "transfer", new { to = from }, 409)));
        Assert.Equal("gift_card_state", GiftcardApi.Code(await VerbAsync(to, "close", null, 409)));
    }

    [Fact]
    public async Task A_replaced_card_hands_over_its_value_and_what_comes_back_later()
    {
        var (id, code) = await api.SellAsync(1000);
        var held = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300, "two_phase"), 201))
            .GetProperty("id")
            .GetString();
        var paid = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 200), 201))
            .GetProperty("id")
            .GetString();
        var heir = await api.PostAsync($"/v1/gift_cards/{id}/replace", new { reason = "lost" }, 201, "replace-1");
        var heirId = heir.GetProperty("id").GetString()!;
        Assert.Equal(500, GiftcardApi.Amount(heir, "balance"));
        Assert.True(CardCode.IsWellFormed(heir.GetProperty("code").GetString()!));
        Assert.Equal(
            heir.GetRawText(),
            (
                await api.PostAsync($"/v1/gift_cards/{id}/replace", new { reason = "lost" }, 201, "replace-1")
            ).GetRawText()
        );
        var old = await api.GetAsync($"/v1/gift_cards/{id}");
        Assert.Equal(
            ("replaced", heirId),
            (old.GetProperty("status").GetString(), old.GetProperty("replaced_by").GetString())
        );
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(await api.PostAsync("/v1/gift_cards/lookup", new { code }, 404))
        );

        await api.PostAsync($"/v1/redemptions/{held}/cancel", null);
        await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 201);
        await Eventually.TrueAsync(async () => await BalanceAsync(heirId) == 1000);
        Assert.Equal(0, await BalanceAsync(id));
        await ActivitiesAddUpAsync(id);
        await ActivitiesAddUpAsync(heirId);
    }

    [Fact]
    public async Task Small_balances_are_paid_out_as_the_programme_allows()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Cash",
                currency = "EUR",
                cash_out_below = GiftcardApi.Eur(1000),
            }
        );
        var (id, code) = await api.SellAsync(1500, program);
        Assert.Equal("limit_exceeded", GiftcardApi.Code(await VerbAsync(id, "cash_out", null, 422)));
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 600), 201);
        Assert.Equal(0, GiftcardApi.Amount(await VerbAsync(id, "cash_out", null), "balance"));
        Assert.Equal("closed", (await VerbAsync(id, "close", null)).GetProperty("status").GetString());
        await ActivitiesAddUpAsync(id);
    }

    [Fact]
    public async Task The_expiry_job_takes_what_is_left_and_an_extension_gives_it_back()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Short",
                currency = "EUR",
                validity_days = 10,
            }
        );
        var before = Breakage();
        var (id, code) = await api.SellAsync(1000, program);
        await VerbAsync(id, "load", new { amount = GiftcardApi.Eur(300), kind = "promo" });
        var held = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 400, "two_phase"), 201))
            .GetProperty("id")
            .GetString();
        await AgeAsync(id);
        Assert.Equal(
            "gift_card_state",
            GiftcardApi.Code(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 409))
        );
        await api.RunJobAsync("expired-giftcards");
        await api.RunJobAsync("expired-giftcards");
        var card = await api.GetAsync($"/v1/gift_cards/{id}");
        Assert.Equal(
            ("expired", 0, 400),
            (
                card.GetProperty("status").GetString(),
                GiftcardApi.Amount(card, "balance"),
                GiftcardApi.Amount(card, "held")
            )
        );
        Assert.Equal(900, Breakage() - before);

        await api.PostAsync($"/v1/redemptions/{held}/cancel", null);
        await Eventually.TrueAsync(() => Breakage() - before == 1300);
        await Eventually.TrueAsync(async () => await BalanceAsync(id) == 0);
        var extended = await VerbAsync(id, "extend", new { expires_at = TimeProvider.System.GetUtcNow().AddDays(5) });
        Assert.Equal("active", extended.GetProperty("status").GetString());
        Assert.Equal(1000, GiftcardApi.Amount(extended, "balance"));
        await ActivitiesAddUpAsync(id);
    }

    [Fact]
    public async Task A_present_that_ran_out_is_not_spent_and_what_was_spent_of_it_returns_as_a_refund()
    {
        var (id, code) = await api.SellAsync(1000);
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
        var paid = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 200), 201))
            .GetProperty("id")
            .GetString();
        await api.SqlAsync(
            "UPDATE gift_card_lots SET expires_at = now() - interval '1 hour' WHERE kind = 'promo' AND gift_card_id = "
                + $"(SELECT gift_card_id FROM redemption_legs WHERE redemption_id = '{GiftcardApi.Uuid(paid!)}' LIMIT 1)"
        );
        var shortage = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1001), 422);
        Assert.Equal(1000, GiftcardApi.Amount(shortage, "available"));
        await api.RunJobAsync("expired-giftcards");
        await api.PostAsync($"/v1/redemptions/{paid}/refunds", null, 201);
        await Eventually.TrueAsync(async () =>
            api.Ledger.Names(api.Merchant.ToString()).Contains($"card:{id}:refund")
            && api.Ledger.AccountNamed(api.Merchant.ToString(), $"card:{id}:refund").Posted == 200
            && await BalanceAsync(id) == 1200
        );
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1200), 201);
        await ActivitiesAddUpAsync(id);
    }

    private long Breakage() =>
        api.Ledger.Names(api.Merchant.ToString()).Contains("programme:breakage")
            ? api.Ledger.AccountNamed(api.Merchant.ToString(), "programme:breakage").Posted
            : 0;

    private Task<JsonElement> VerbAsync(string id, string verb, object? body, int status = 200) =>
        api.PostAsync($"/v1/gift_cards/{id}/{verb}", body, status);

    private async Task<long> BalanceAsync(string id) =>
        GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance");

    /// <summary>
    /// The running sum of a card's activities is what the ledger has on it, once what the ledger did is written down.
    /// </summary>
    private async Task ActivitiesAddUpAsync(string id)
    {
        await Eventually.TrueAsync(async () =>
        {
            var card = await api.GetAsync($"/v1/gift_cards/{id}");
            var last = (await api.GetAsync($"/v1/gift_cards/{id}/activities")).GetProperty("data")[0];
            return GiftcardApi.Amount(card, "balance") + GiftcardApi.Amount(card, "held")
                == GiftcardApi.Amount(last, "balance_after");
        });
        Assert.Equal(0, api.Ledger.Total());
    }

    private Task AgeAsync(string id) =>
        api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                id
            )}';
            UPDATE gift_card_lots SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                id
            )}'
            """
        );
}
