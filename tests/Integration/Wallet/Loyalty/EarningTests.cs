using System.Text.Json;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>What purchases earn, and what comes of them.</summary>
public sealed class EarningTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    [Fact]
    public async Task A_basket_earns_what_was_quoted_by_rules_that_it_names()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        var coffee = await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "rate",
                rate = new { points = 2, per = Eur(100) },
                categories = new[] { "coffee" },
                order = 1,
            }
        );
        var welcome = await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "bonus",
                points = 50,
                first_purchase = true,
                order = 2,
            }
        );
        object[] lines =
        [
            new
            {
                amount = Eur(700),
                product = "beans",
                category = "coffee",
            },
            new { amount = Eur(300), product = "bun" },
        ];

        var quote = await api.PostAsync(
            key,
            "/v1/earnings/quote",
            new
            {
                member_id = member,
                amount = Eur(1000),
                lines,
            }
        );
        var earning = await api.PostAsync(
            key,
            "/v1/earnings",
            new
            {
                member_id = member,
                reference = "tck-1",
                amount = Eur(1000),
                lines,
            },
            201
        );

        Assert.Equal(10 + 14 + 50, quote.GetProperty("points").GetInt64());
        Assert.Equal(74, earning.GetProperty("points").GetInt64());
        Assert.Equal(quote.GetProperty("awards").GetRawText(), earning.GetProperty("awards").GetRawText());
        Assert.Equal([(null, 10L), (coffee, 14), (welcome, 50)], Awards(earning));
        Assert.Equal(74, await api.PointsAsync(key, member));
        Assert.Equal(74, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(-74, await api.BookedAsync(merchant, "loyalty:pool"));
        Assert.Equal(74, await api.BookedAsync(merchant, "loyalty:liability"));

        var movement = (await api.GetAsync(key, $"/v1/members/{member}/history")).GetProperty("data")[0];
        Assert.Equal("earn", movement.GetProperty("kind").GetString());
        Assert.Equal("tck-1", movement.GetProperty("purchase_reference").GetString());
        Assert.Equal(Awards(earning), Awards(movement));
        Assert.StartsWith("txn_", movement.GetProperty("transaction_id").GetString());
        var lot = Assert.Single((await api.GetAsync(key, $"/v1/members/{member}/lots")).GetProperty("data").Items());
        Assert.Equal(Id(lot), movement.GetProperty("lots")[0].GetProperty("lot_id").GetString());
        Assert.Equal(74, lot.GetProperty("remaining").GetInt64());
    }

    /// <summary>OCA/pos#185, odoo/odoo#270532: tills that were offline tell a sale twice.</summary>
    [Fact]
    public async Task A_reference_counts_once_however_often_and_at_once_it_is_told()
    {
        var (merchant, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key));

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(_ =>
                    api.Service.SendAsync(
                        HttpMethod.Post,
                        "/v1/earnings",
                        key,
                        new
                        {
                            member_id = member,
                            reference = "offline-7",
                            amount = Eur(500),
                        }
                    )
                )
        );

        // On a busy machine a till may be told to come again.
        Assert.InRange(answers.Count(answer => (int)answer.StatusCode == 201), 0, 1);
        Assert.All(answers, answer => Assert.Contains((int)answer.StatusCode, new[] { 201, 422, 429, 503 }));
        Assert.Equal(5, await api.PointsAsync(key, member));
        Assert.Equal(5, await api.BookedAsync(merchant, $"member:{member}:points"));
    }

    [Fact]
    public async Task What_is_told_late_is_judged_by_the_rules_of_its_time()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        var rule = await api.RuleAsync(key, program, new { effect = "bonus", points = 10 });
        var then = TimeProvider.System.GetUtcNow();
        await api.PatchAsync(
            key,
            $"/v1/earning_rules/{rule}",
            new { definition = new { effect = "bonus", points = 99 } },
            1
        );

        var late = await api.PostAsync(
            key,
            "/v1/earnings",
            new
            {
                member_id = member,
                reference = "late",
                amount = Eur(100),
                occurred_at = then,
            },
            201
        );
        var now = await api.EarnAsync(key, member, 100);

        Assert.Equal(1 + 10, late.GetProperty("points").GetInt64());
        Assert.Equal(1, late.GetProperty("awards")[1].GetProperty("version").GetInt64());
        Assert.Equal(1 + 99, now.GetProperty("points").GetInt64());
        Assert.Equal(2, now.GetProperty("awards")[1].GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task A_refund_takes_back_what_its_lines_earned_to_the_last_point()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "multiplier",
                percent = 300,
                products = new[] { "bun" },
            }
        );
        var earning = Id(
            await api.PostAsync(
                key,
                "/v1/earnings",
                new
                {
                    member_id = member,
                    reference = "tck-2",
                    amount = Eur(1000),
                    lines = new object[]
                    {
                        new { amount = Eur(333), product = "bun" },
                        new { amount = Eur(667), product = "tea" },
                    },
                },
                201
            )
        );
        var earned = await api.PointsAsync(key, member);
        var path = $"/v1/earnings/{earning}/refund";

        var part = await api.PostAsync(
            key,
            path,
            new { reference = "r-1", lines = new[] { new { line = 0, amount = Eur(100) } } },
            201
        );
        var more = await api.PostAsync(key, path, new { reference = "r-1", amount = Eur(1) }, 422);
        var tooMuch = await api.PostAsync(key, path, new { reference = "r-2", amount = Eur(901) }, 422);
        await api.PostAsync(key, path, new { reference = "r-3" }, 201);

        Assert.Equal(10 + 6, earned);
        Assert.Equal(2, part.GetProperty("points").GetInt64());
        Assert.Equal("partially_refunded", part.GetProperty("earning").GetProperty("state").GetString());
        Assert.Equal("reference_reused", Code(more));
        Assert.Equal("refund_exceeds_purchase", Code(tooMuch));
        Assert.Equal(0, await api.PointsAsync(key, member));
        Assert.Equal(0, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(0, await api.BookedAsync(merchant, "loyalty:liability"));
        Assert.Equal("refunded", (await api.GetAsync(key, $"/v1/earnings/{earning}")).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("owed", 0)]
    [InlineData("allow", -8)]
    public async Task What_is_spent_already_is_owed_or_makes_the_account_negative(string policy, long booked)
    {
        var (merchant, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key, new { negative = policy }));
        var earning = Id(await api.EarnAsync(key, member, 1000));
        await api.PostAsync(key, $"/v1/members/{member}/adjust", new { points = -8, reason = "spent" }, 201);

        await api.PostAsync(key, $"/v1/earnings/{earning}/refund", new { reference = "r" }, 201);
        var balance = await api.GetAsync(key, $"/v1/members/{member}/balance");
        Assert.Equal(booked, balance.GetProperty("posted").GetInt64());
        Assert.Equal(0, balance.GetProperty("available").GetInt64());
        Assert.Equal(8, balance.GetProperty("owed").GetInt64());
        Assert.Equal(booked, await api.BookedAsync(merchant, $"member:{member}:points"));

        await api.EarnAsync(key, member, 1200);
        Assert.Equal(4, await api.PointsAsync(key, member));
        Assert.Equal(4, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(4, await api.BookedAsync(merchant, "loyalty:liability"));
    }

    [Fact]
    public async Task Points_that_wait_are_released_by_time_and_less_what_came_back()
    {
        var (merchant, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key));
        var earning = Id(
            await api.EarnAsync(key, member, 1000, releaseAt: TimeProvider.System.GetUtcNow().AddDays(14))
        );
        await api.PostAsync(key, $"/v1/earnings/{earning}/refund", new { reference = "r", amount = Eur(400) }, 201);
        var waiting = await api.GetAsync(key, $"/v1/members/{member}/balance");
        Assert.Equal(0, waiting.GetProperty("available").GetInt64());
        Assert.Equal(6, waiting.GetProperty("pending").GetInt64());
        Assert.Equal(6, await api.BookedAsync(merchant, $"member:{member}:pending"));

        await api.SqlAsync(
            $"UPDATE earnings SET release_at = now() WHERE merchant_id = '{merchant.Value}' AND state = 'pending'"
        );

        await Eventually.TrueAsync(async () => await api.PointsAsync(key, member) == 6);
        Assert.Equal(6, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(0, await api.BookedAsync(merchant, $"member:{member}:pending"));
    }

    [Fact]
    public async Task Points_wait_until_their_purchase_can_not_be_returned_any_more()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { return_window_days = 14 });
        var member = await api.MemberAsync(key, program);
        var (now, bought) = (TimeProvider.System.GetUtcNow(), new[] { 0, -13, -16 });
        var states = new List<string?>();
        foreach (var days in bought)
        {
            var earning = await api.PostAsync(
                key,
                "/v1/earnings",
                new
                {
                    member_id = member,
                    reference = $"{days}",
                    amount = Eur(1000),
                    occurred_at = now.AddDays(days),
                },
                201
            );
            states.Add(earning.GetProperty("state").GetString());
        }

        Assert.Equal(["pending", "pending", "earned"], states);
        var balance = await api.GetAsync(key, $"/v1/members/{member}/balance");
        Assert.Equal(
            (10, 20),
            (balance.GetProperty("available").GetInt64(), balance.GetProperty("pending").GetInt64())
        );
        // A programme that has no window any more lets nobody wait.
        await api.PatchAsync(key, $"/v1/loyalty_programs/{program}", new { return_window_days = 0 }, 1);
        Assert.Equal("earned", (await api.EarnAsync(key, member, 100)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_campaign_s_budget_is_never_overdrawn_by_64_tills()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var campaign = await api.RuleAsync(key, program, new { effect = "bonus", points = 7 }, budget: 100);
        var members = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => api.MemberAsync(key, program)));

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async till =>
                {
                    var reference = $"till-{till}";
                    JsonElement? earned = null;
                    await Eventually.TrueAsync(async () =>
                    {
                        using var answer = await api.Service.SendAsync(
                            HttpMethod.Post,
                            "/v1/earnings",
                            key,
                            new
                            {
                                member_id = members[till % members.Length],
                                reference,
                                amount = Eur(100),
                            },
                            reference
                        );
                        var body = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
                        earned = (int)answer.StatusCode == 201 ? body : null;
                        return earned is not null;
                    });
                    return earned!.Value.GetProperty("points").GetInt64();
                })
        );

        Assert.Equal(64 + 100, answers.Sum());
        var rule = await api.GetAsync(key, $"/v1/earning_rules/{campaign}");
        Assert.Equal(100, rule.GetProperty("budget_spent").GetInt64());
        var points = await Task.WhenAll(members.Select(member => api.PointsAsync(key, member)));
        Assert.Equal(64 + 100, points.Sum());
    }

    [Fact]
    public async Task Caps_hold_over_the_purchases_of_a_day()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "bonus",
                points = 10,
                max_per_day = 15,
            }
        );

        var first = await api.EarnAsync(key, member, 100);
        var second = await api.EarnAsync(key, member, 100);
        var third = await api.EarnAsync(key, member, 100);

        Assert.Equal([11L, 6, 1], new[] { first, second, third }.Select(e => e.GetProperty("points").GetInt64()));
        Assert.Equal("max_per_day", second.GetProperty("awards")[1].GetProperty("cut_by").GetString());
    }

    [Fact]
    public async Task A_partner_pays_its_part_of_what_is_earned_there_and_gets_it_back()
    {
        var (issuer, key) = api.NewMerchant();
        var (partner, till) = api.NewMerchant();
        var program = await api.ProgramAsync(
            key,
            new { partners = new[] { new { merchant_id = partner.ToString(), funding_basis_points = 2500 } } }
        );
        var member = await api.MemberAsync(key, program);
        Assert.Equal("not_found", Code(await api.EarnAsync(till, member, 100, status: 404)));
        await api.PostAsync(till, $"/v1/loyalty_partnerships/{program}/accept", new { funding_basis_points = 2500 });

        var earning = Id(await api.EarnAsync(till, member, 2000));
        Assert.Equal(-5, await api.BookedAsync(issuer, $"loyalty:funded:{partner}"));
        Assert.Equal(-15, await api.BookedAsync(issuer, "loyalty:expense"));
        await api.PostAsync(key, $"/v1/earnings/{earning}/refund", new { reference = "r" }, 404);
        await api.PostAsync(till, $"/v1/earnings/{earning}/refund", new { reference = "r" }, 201);

        Assert.Equal(0, await api.BookedAsync(issuer, $"loyalty:funded:{partner}"));
        Assert.Equal(0, await api.BookedAsync(issuer, "loyalty:expense"));
        Assert.Equal(0, await api.BookedAsync(issuer, "loyalty:liability"));
    }

    [Fact]
    public async Task A_rule_is_run_over_a_past_period_before_it_is_switched_on()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        var bonus = await api.RuleAsync(key, program, new { effect = "bonus", points = 5 });
        var start = TimeProvider.System.GetUtcNow();
        foreach (var amount in new[] { 1000, 3000, 100 })
        {
            await api.EarnAsync(key, member, amount);
        }

        var end = TimeProvider.System.GetUtcNow();
        var more = await SimulateAsync(new { effect = "multiplier", percent = 200 }, null);
        var instead = await SimulateAsync(
            new
            {
                effect = "bonus",
                points = 8,
                max_per_day = 10,
            },
            bonus
        );

        Assert.Equal("progress", more[0].GetProperty("object").GetString());
        Assert.Equal(
            (3, 41L + 15, 41L * 2 + 15, 3L),
            (
                more[^1].GetProperty("done").GetInt32(),
                more[^1].GetProperty("before").GetInt64(),
                more[^1].GetProperty("after").GetInt64(),
                more[^1].GetProperty("changed").GetInt64()
            )
        );
        Assert.Equal(41, more[^1].GetProperty("cost").GetProperty("amount").GetInt64());
        Assert.Equal(41 + 10, instead[^1].GetProperty("after").GetInt64());
        Assert.Equal(10, instead[^1].GetProperty("by_rule").GetInt64());
        Assert.Equal(-5, instead[^1].GetProperty("cost").GetProperty("amount").GetInt64());
        Assert.Equal(56, await api.PointsAsync(key, member));

        async Task<JsonElement[]> SimulateAsync(object definition, string? rule)
        {
            var body = new Dictionary<string, object?>
            {
                ["program_id"] = program,
                ["definition"] = definition,
                ["from"] = start,
                ["to"] = end,
            };
            if (rule is not null)
            {
                body["rule_id"] = rule;
            }

            using var answer = await api.Service.SendAsync(HttpMethod.Post, "/v1/earning_rules/simulate", key, body);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
        }
    }

    private static (string? Rule, long Points)[] Awards(JsonElement body) =>
        [
            .. body.GetProperty("awards")
                .EnumerateArray()
                .Select(award =>
                    (
                        award.TryGetProperty("rule_id", out var rule) ? rule.GetString() : null,
                        award.GetProperty("points").GetInt64()
                    )
                ),
        ];
}

internal static class JsonItems
{
    public static JsonElement[] Items(this JsonElement list) => [.. list.EnumerateArray()];
}
