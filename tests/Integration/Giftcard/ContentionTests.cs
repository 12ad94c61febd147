using System.Net;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Many at once on one thing, and the complaints against others that must not be made here.</summary>
public sealed class ContentionTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    [Trait("Bug", "spree#13734")]
    public async Task Sixty_four_tills_on_one_card_spend_what_is_there_and_not_a_cent_more()
    {
        var (id, code) = await api.SellAsync(1000);
        var answers = await AtOnceAsync(
            64,
            i =>
                api.SendAsync(
                    HttpMethod.Post,
                    "/v1/redemptions",
                    api.Key,
                    GiftcardApi.Redemption(code, 100, i % 2 == 0 ? "immediate" : "two_phase"),
                    null
                )
        );
        Assert.Equal(10, answers.Count(a => a.Status == HttpStatusCode.Created));
        Assert.Equal(54, answers.Count(a => a.Status == HttpStatusCode.UnprocessableEntity));
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance"));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Sixty_four_times_one_request_is_one_redemption()
    {
        var (id, code) = await api.SellAsync(1000);
        var body = GiftcardApi.Redemption(code, 100);
        var answers = await AtOnceAsync(
            64,
            _ => api.SendAsync(HttpMethod.Post, "/v1/redemptions", api.Key, body, "one-key")
        );
        Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.Created or HttpStatusCode.Conflict, a.Body));
        Assert.Single(answers.Where(a => a.Status == HttpStatusCode.Created).Select(a => a.Body).Distinct());
        Assert.Equal(900, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance"));
    }

    [Fact]
    public async Task A_storm_of_the_same_advice_captures_once()
    {
        var (id, code) = await api.SellAsync(1000);
        var held = await HeldAsync(code, 400);
        var answers = await AtOnceAsync(
            40,
            _ => api.SendAsync(HttpMethod.Post, $"/v1/redemptions/{held}/confirm", api.Key, null, null)
        );
        Assert.All(answers, a => Assert.True(a.Status == HttpStatusCode.OK, a.Body));
        Assert.All(
            answers,
            a => Assert.Equal("completed", JsonDocument.Parse(a.Body).RootElement.GetProperty("state").GetString())
        );
        Assert.Equal(600, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance"));
        var timeline = (await api.GetAsync($"/v1/redemptions/{held}/timeline")).GetProperty("data").EnumerateArray();
        Assert.Single(timeline, e => e.GetProperty("kind").GetString() == "completed");
    }

    [Fact]
    public async Task Of_confirm_and_cancel_at_the_same_moment_exactly_one_wins()
    {
        for (var round = 0; round < 8; round++)
        {
            var (id, code) = await api.SellAsync(1000);
            var held = await HeldAsync(code, 400);
            var answers = await AtOnceAsync(
                8,
                i =>
                    api.SendAsync(
                        HttpMethod.Post,
                        $"/v1/redemptions/{held}/{(i % 2 == 0 ? "confirm" : "cancel")}",
                        api.Key,
                        null,
                        null
                    )
            );
            var state = (await api.GetAsync($"/v1/redemptions/{held}")).GetProperty("state").GetString();
            Assert.Equal(
                state == "completed" ? 600 : 1000,
                GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance")
            );
            Assert.Equal(4, answers.Count(a => a.Status == HttpStatusCode.OK));
            Assert.Equal(4, answers.Count(a => a.Status == HttpStatusCode.Conflict));
        }
    }

    [Fact]
    public async Task Of_confirm_and_expiry_at_the_same_moment_exactly_one_wins()
    {
        for (var round = 0; round < 8; round++)
        {
            var (id, code) = await api.SellAsync(1000);
            var held = await HeldAsync(code, 400);
            var expiry = Task.Run(() => api.Ledger.Expire(held));
            using var confirm = await api.SendAsync(
                HttpMethod.Post,
                $"/v1/redemptions/{held}/confirm",
                api.Key,
                null,
                null
            );
            await expiry;
            var state = (await api.GetAsync($"/v1/redemptions/{held}")).GetProperty("state").GetString();
            Assert.Equal(confirm.IsSuccessStatusCode ? "completed" : "expired", state);
            Assert.Equal(
                state == "completed" ? 600 : 1000,
                GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance")
            );
        }
    }

    [Fact]
    [Trait("Bug", "eventyay#2824")]
    public async Task Refunds_at_the_same_moment_never_give_back_more_than_was_captured()
    {
        var (id, code) = await api.SellAsync(1000);
        var redemption = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000), 201))
            .GetProperty("id")
            .GetString();
        Task<HttpResponseMessage> RefundAsync(int i) =>
            api.SendAsync(
                HttpMethod.Post,
                $"/v1/redemptions/{redemption}/refunds",
                api.Key,
                new { amount = GiftcardApi.Eur(300) },
                $"{redemption}-{i}"
            );

        // Whoever is too busy for an answer gives it in the end.
        List<(HttpStatusCode Status, string Body)> answers = [];
        await Eventually.TrueAsync(async () =>
        {
            answers = await AtOnceAsync(32, RefundAsync);
            return answers.TrueForAll(a =>
                a.Status != HttpStatusCode.ServiceUnavailable
                && !a.Body.Contains("request_in_progress", StringComparison.Ordinal)
            );
        });
        Assert.Equal(3, answers.Count(a => a.Status == HttpStatusCode.Created));
        Assert.Equal(900, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance"));
    }

    [Fact]
    [Trait("Bug", "saleor#13640")]
    public async Task Two_cards_in_one_payment_give_what_they_should_and_not_all_they_have()
    {
        var program = await api.ProgramAsync();
        var (first, firstCode) = await api.SellAsync(1000, program);
        var (second, secondCode) = await api.SellAsync(1000, program);
        var body = new
        {
            mode = "immediate",
            amount = GiftcardApi.Eur(1200),
            sources = new[]
            {
                new { gift_card = new { code = firstCode } },
                new { gift_card = new { code = secondCode } },
            },
        };
        await api.PostAsync("/v1/redemptions", body, 201);
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{first}"), "balance"));
        Assert.Equal(800, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{second}"), "balance"));
    }

    [Fact]
    [Trait("Bug", "sylius#278")]
    public async Task A_held_payment_stays_paid_whatever_is_spent_between_hold_and_confirm()
    {
        var (_, code) = await api.SellAsync(1000);
        var held = await HeldAsync(code, 800);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 300), 422);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 200), 201);
        Assert.Equal(800, GiftcardApi.Amount(await api.PostAsync($"/v1/redemptions/{held}/confirm", null), "captured"));
    }

    [Fact]
    [Trait("Bug", "sylius#284")]
    public async Task A_refund_restores_the_card_so_that_it_can_be_spent_again()
    {
        var (_, code) = await api.SellAsync(1000);
        var redemption = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000), 201))
            .GetProperty("id")
            .GetString();
        await api.PostAsync($"/v1/redemptions/{redemption}/refunds", null, 201);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1000), 201);
    }

    [Fact]
    [Trait("Bug", "sylius#297")]
    public async Task Guessing_codes_finds_nothing_and_looks_the_same_for_every_kind_of_miss()
    {
        var (_, code) = await api.SellAsync(1000);
        var (blockedId, blocked) = await api.SellAsync(1000);
        await api.PostAsync($"/v1/gift_cards/{blockedId}/block", null);
        var guesses = Enumerable
            .Range(0, 50)
            .Select(_ => LocalPlus.Giftcard.Cards.CardCode.New())
            .Append(blocked)
            .Append(code[..15] + "0" + code[..1]);
        var bodies = new HashSet<string>(StringComparer.Ordinal);
        foreach (var guess in guesses)
        {
            var problem = await api.PostAsync("/v1/gift_cards/lookup", new { code = guess }, 404);
            bodies.Add(
                string.Join(
                    '|',
                    problem.EnumerateObject().Where(m => m.Name != "request_id").Select(m => m.Value.GetRawText())
                )
            );
        }

        Assert.Single(bodies);
    }

    [Fact]
    public async Task A_load_and_a_close_of_one_card_at_the_same_moment_never_lose_value()
    {
        for (var round = 0; round < 5; round++)
        {
            var (id, code) = await api.SellAsync(100);
            await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 201);
            await AtOnceAsync(
                6,
                i =>
                    api.SendAsync(
                        HttpMethod.Post,
                        $"/v1/gift_cards/{id}/{(i % 2 == 0 ? "load" : "close")}",
                        api.Key,
                        i % 2 == 0 ? new { amount = GiftcardApi.Eur(50) } : null,
                        null
                    )
            );
            var card = await api.GetAsync($"/v1/gift_cards/{id}");
            Assert.True(
                card.GetProperty("status").GetString() == "active" || GiftcardApi.Amount(card, "balance") == 0,
                card.GetRawText()
            );
        }
    }

    private async Task<string> HeldAsync(string code, long amount) =>
        (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, amount, "two_phase"), 201))
            .GetProperty("id")
            .GetString()!;

    private static async Task<List<(HttpStatusCode Status, string Body)>> AtOnceAsync(
        int times,
        Func<int, Task<HttpResponseMessage>> send
    )
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, times)
                .Select(async i =>
                {
                    using var answer = await send(i);
                    return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
                })
        );
        return [.. answers];
    }
}
