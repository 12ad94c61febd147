using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>What members have: expiry, tiers, transfers, what was known when, and a ledger that is away.</summary>
public sealed class PointsTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    /// <summary>FloCafe#78: a job that ran twice took expired points twice.</summary>
    [Fact]
    public async Task Expired_points_are_written_off_once_by_jobs_that_run_at_once()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { expiry = new { kind = "after_earning", days = 20 } });
        var member = await api.MemberAsync(key, program);
        await api.EarnAsync(key, member, 1000);
        await api.EarnAsync(key, member, 700);
        var before = await api.GetAsync(key, $"/v1/members/{member}/balance");
        Assert.Equal(17, before.GetProperty("expiring")[0].GetProperty("points").GetInt64());
        await api.SqlAsync(
            $"""
            UPDATE member_lots SET expires_at = now() - interval '1 minute'
             WHERE points = 10 AND member_id = '{Uuid(member)}'
            """
        );
        Assert.Equal(7, await api.PointsAsync(key, member));

        await Task.WhenAll(api.RunJobAsync("loyalty-expiry"), api.RunJobAsync("loyalty-expiry"));
        await api.RunJobAsync("loyalty-expiry");

        Assert.Equal(7, await api.PointsAsync(key, member));
        Assert.Equal(7, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(10, await api.BookedAsync(merchant, "loyalty:breakage"));
        Assert.Equal(
            1,
            await api.CountAsync($"member_movements WHERE kind = 'expire' AND member_id = '{Uuid(member)}'")
        );
    }

    [Fact]
    public async Task Points_that_end_first_are_spent_first_and_activity_may_prolong_them()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { expiry = new { kind = "after_activity", days = 10 } });
        var member = await api.MemberAsync(key, program);
        await api.EarnAsync(key, member, 1000);
        await api.SqlAsync(
            $"UPDATE member_lots SET expires_at = now() + interval '1 hour' WHERE member_id = '{Uuid(member)}'"
        );

        await api.EarnAsync(key, member, 500);

        var lots = (await api.GetAsync(key, $"/v1/members/{member}/lots")).GetProperty("data").Items();
        Assert.Equal(2, lots.Length);
        Assert.Single(lots.Select(lot => lot.GetProperty("expires_at").GetString()).Distinct());
        await api.PostAsync(key, $"/v1/members/{member}/adjust", new { points = -12, reason = "a mistake" }, 201);
        lots = (await api.GetAsync(key, $"/v1/members/{member}/lots")).GetProperty("data").Items();
        Assert.Equal([3L, 0L], lots.Select(lot => lot.GetProperty("remaining").GetInt64()));
    }

    [Fact]
    public async Task A_tier_is_reached_at_once_and_lost_when_its_time_is_over()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(
            key,
            new
            {
                tiers = new
                {
                    qualification_days = 365,
                    grace_days = 30,
                    levels = new[]
                    {
                        new { name = "silver", from_points = 10 },
                        new { name = "gold", from_points = 30 },
                    },
                },
            }
        );
        var member = await api.MemberAsync(key, program);
        await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "multiplier",
                percent = 200,
                tiers = new[] { "gold" },
            }
        );
        await api.EarnAsync(key, member, 1500);
        Assert.Equal("silver", await TierAsync(key, member));
        await api.EarnAsync(key, member, 1600);
        Assert.Equal("gold", await TierAsync(key, member));
        Assert.Equal(20, (await api.EarnAsync(key, member, 1000)).GetProperty("points").GetInt64());

        // A year later, with one purchase left in the period.
        await api.SqlAsync(
            $"""
            UPDATE members SET tier_until = now() WHERE member_id = '{Uuid(member)}';
            UPDATE earnings SET occurred_at = now() - interval '400 days'
             WHERE member_id = '{Uuid(member)}' AND points <> 20
            """
        );
        await Task.WhenAll(api.RunJobAsync("loyalty-tiers"), api.RunJobAsync("loyalty-tiers"));

        Assert.Equal("silver", await TierAsync(key, member));
        await Eventually.TrueAsync(() =>
            api
                .Sidecar.Published.Where(e => e.GetProperty("topic").GetString() == "wallet.members.v1")
                .Select(e => e.GetProperty("event").GetProperty("data"))
                .Where(e => e.GetProperty("key").GetString() == member)
                .Where(e => e.GetProperty("type").GetString() == "member.tier_changed")
                .OrderBy(e => e.GetProperty("sequence").GetInt64())
                .Select(e => e.GetProperty("data").GetProperty("tier").GetString())
                .SequenceEqual(["silver", "gold", "silver"])
        );
    }

    [Fact]
    public async Task Points_go_to_another_member_with_their_expiry_and_never_become_more()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var (from, to) = (await api.MemberAsync(key, program), await api.MemberAsync(key, program));
        await api.EarnAsync(key, from, 1000);

        var moved = await api.PostAsync(key, $"/v1/members/{from}/transfer", new { to, points = 4 }, 201);
        var tooMany = await api.PostAsync(key, $"/v1/members/{from}/transfer", new { to, points = 7 }, 422);
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(i =>
                    i % 2 == 0
                        ? api.PostAsync(key, $"/v1/members/{from}/transfer", new { to, points = 1 }, 201)
                        : api.PostAsync(key, $"/v1/members/{to}/transfer", new { to = from, points = 1 }, 201)
                )
        );

        Assert.Equal(-4, moved.GetProperty("points").GetInt64());
        Assert.Equal("insufficient_balance", Code(tooMany));
        Assert.Equal(6, tooMany.GetProperty("available").GetInt64());
        Assert.Equal((6L, 4L), (await api.PointsAsync(key, from), await api.PointsAsync(key, to)));
        Assert.Equal(6, await api.BookedAsync(merchant, $"member:{from}:points"));
        Assert.Equal(4, await api.BookedAsync(merchant, $"member:{to}:points"));
        Assert.Equal(10, await api.BookedAsync(merchant, "loyalty:liability"));
    }

    [Fact]
    public async Task A_balance_is_told_as_of_an_instant_and_as_it_was_known_then()
    {
        var (_, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key));
        await api.EarnAsync(key, member, 500);
        var between = TimeProvider.System.GetUtcNow();
        var path = $"/v1/members/{member}/balance";
        await api.PostAsync(
            key,
            "/v1/earnings",
            new
            {
                member_id = member,
                reference = "late",
                amount = Eur(700),
                occurred_at = between.AddMinutes(-1),
            },
            201
        );

        Assert.Equal(12, await At(""));
        Assert.Equal(12, await At($"?as_of={Text(between)}"));
        Assert.Equal(5, await At($"?as_of={Text(between)}&known_at={Text(between)}"));
        Assert.Equal(7, await At($"?as_of={Text(between.AddSeconds(-50))}"));

        async Task<long> At(string query) =>
            (await api.GetAsync(key, path + query)).GetProperty("available").GetInt64();

        static string Text(DateTimeOffset at) => Uri.EscapeDataString(at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_counted_while_the_ledger_was_away_is_booked_once(bool isDeaf)
    {
        var (merchant, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key));
        (api.Ledger.IsDeaf, api.Ledger.IsMute) = (isDeaf, !isDeaf);

        await api.EarnAsync(key, member, 900);
        await api.PostAsync(key, $"/v1/members/{member}/adjust", new { points = -2, reason = "a mistake" }, 201);
        Assert.Equal(7, await api.PointsAsync(key, member));
        Assert.Equal(
            2,
            await api.CountAsync($"ledger_commands WHERE merchant_id = '{merchant.Value}' AND drive_after IS NOT NULL")
        );
        (api.Ledger.IsDeaf, api.Ledger.IsMute) = (false, false);

        Assert.Equal(7, await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal(7, await api.BookedAsync(merchant, "loyalty:liability"));
    }

    [Fact]
    public async Task A_purchase_is_counted_and_answered_while_the_ledger_is_frozen()
    {
        var (merchant, key) = api.NewMerchant();
        var member = await api.MemberAsync(key, await api.ProgramAsync(key));
        var thaw = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        api.Ledger.Frozen = thaw.Task;
        try
        {
            await api.EarnAsync(key, member, 900);
            Assert.Equal(9, await api.PointsAsync(key, member));
        }
        finally
        {
            api.Ledger.Frozen = null;
            thaw.SetResult();
        }

        Assert.Equal(9, await api.BookedAsync(merchant, $"member:{member}:points"));
    }

    [Fact]
    public async Task What_a_member_has_is_held_against_the_books()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key, new { negative = "allow" });
        var (right, wrong) = (await api.MemberAsync(key, program), await api.MemberAsync(key, program));
        var earning = Id(await api.EarnAsync(key, right, 500));
        await api.PostAsync(key, $"/v1/members/{right}/transfer", new { to = wrong, points = 2 }, 201);
        await api.PostAsync(key, $"/v1/earnings/{earning}/refund", new { reference = "r" }, 201);
        await api.EverythingIsBookedAsync(merchant);
        await api.SqlAsync($"UPDATE members SET points = points + 1 WHERE member_id = '{Uuid(wrong)}'");

        await api.RunJobAsync("balance-reconciliation");

        var findings = $"reconciliation_findings WHERE merchant_id = '{merchant.Value}'";
        Assert.Equal(1, await api.CountAsync(findings));
        Assert.Equal(1, await api.CountAsync($"{findings} AND kind = 'mismatch' AND snapshot_posted = 3"));
    }

    [Fact]
    public async Task The_last_reward_goes_to_one_member_and_its_voucher_is_taken_once()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var members = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => api.MemberAsync(key, program)));
        await Task.WhenAll(members.Select(member => api.EarnAsync(key, member, 5000)));
        var reward = await api.PostAsync(
            key,
            "/v1/loyalty_rewards",
            new
            {
                program_id = program,
                name = "A cup",
                points = 20,
                stock = 3,
                per_member = 1,
            },
            201
        );
        var path = $"/v1/loyalty_rewards/{Id(reward)}/redeem";

        var answers = await Task.WhenAll(
            members.Select(member => api.Service.SendAsync(HttpMethod.Post, path, key, new { member_id = member }))
        );

        var bought = answers.Where(answer => (int)answer.StatusCode == 201).ToArray();
        Assert.Equal(3, bought.Length);
        Assert.Equal(3, answers.Count(answer => (int)answer.StatusCode == 409));
        var voucher = System.Text.Json.JsonElement.Parse(await bought[0].Content.ReadAsStringAsync());
        Assert.Equal(30, voucher.GetProperty("member").GetProperty("points").GetInt64());
        Assert.Equal(60, await api.BookedAsync(merchant, "loyalty:payable"));
        object use = new { program_id = program, code = voucher.GetProperty("code").GetString() };
        await api.PostAsync(key, "/v1/loyalty_rewards/use_voucher", use);
        Assert.Equal("voucher_used", Code(await api.PostAsync(key, "/v1/loyalty_rewards/use_voucher", use, 409)));
        Assert.Equal(
            0,
            await api.CountAsync(
                $"idempotency_keys WHERE encode(body, 'escape') LIKE '%{voucher.GetProperty("code").GetString()}%'"
            )
        );
    }

    [Fact]
    public async Task A_member_gets_no_more_than_its_bound_and_its_points_allow()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var member = await api.MemberAsync(key, program);
        await api.EarnAsync(key, member, 3000);
        var cup = await RewardAsync(20, 1);
        var bowl = await RewardAsync(20, null);

        await api.PostAsync(key, cup, new { member_id = member }, 201);
        Assert.Equal("limit_exceeded", Code(await api.PostAsync(key, cup, new { member_id = member }, 422)));
        Assert.Equal("insufficient_balance", Code(await api.PostAsync(key, bowl, new { member_id = member }, 422)));
        Assert.Equal(10, await api.PointsAsync(key, member));

        async Task<string> RewardAsync(long points, int? perMember)
        {
            var terms = new Dictionary<string, object?>
            {
                ["program_id"] = program,
                ["name"] = "A thing",
                ["points"] = points,
            };
            if (perMember is { } most)
            {
                terms["per_member"] = most;
            }

            return $"/v1/loyalty_rewards/{Id(await api.PostAsync(key, "/v1/loyalty_rewards", terms, 201))}/redeem";
        }
    }

    private static Guid Uuid(string member) => MemberId.Parse(member).Value;

    private async Task<string?> TierAsync(string key, string member) =>
        (await api.GetAsync(key, $"/v1/members/{member}")).TryGetProperty("tier", out var tier)
            ? tier.GetString()
            : null;
}
