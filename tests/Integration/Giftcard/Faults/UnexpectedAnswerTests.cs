using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>
/// An answer of the ledger that nobody expected brings what asked to its end, with an answer that stays, and shows it
/// to the operators. Each test has the ledger for itself, because what it is made to say it says to everybody.
/// </summary>
public sealed class UnexpectedAnswerTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private static readonly Fault Unexpected = new("never_heard_of", 418, "Unexpected");

    [Fact]
    public async Task Fault_09_an_empty_card_with_two_lots_and_a_maximum_has_not_enough()
    {
        var (card, code) = await api.SellAsync(100);
        await LoadAsync(card, 100, days: 10);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 200), 201);
        foreach (var max in new object?[] { GiftcardApi.Eur(50), null })
        {
            var key = Guid.CreateVersion7().ToString();
            var body = new
            {
                mode = "immediate",
                amount = GiftcardApi.Eur(50),
                sources = new[] { new { gift_card = new { code }, max_amount = max } },
            };
            for (var i = 0; i < 2; i++)
            {
                var refusal = await api.PostAsync("/v1/redemptions", body, 422, key);
                Assert.Equal(
                    ("insufficient_balance", 0),
                    (GiftcardApi.Code(refusal), GiftcardApi.Amount(refusal, "available"))
                );
            }

            Assert.Equal(
                "refused",
                (await api.PostAsync("/v1/redemptions/quote", body)).GetProperty("would_be").GetString()
            );
        }

        Assert.Equal(0, await api.CountAsync("SELECT count(*) FROM redemptions WHERE state = 'authorizing'"));
    }

    [Fact]
    public async Task Fault_09_empty_lots_do_not_count_against_the_bound_on_lots()
    {
        var (card, code) = await api.SellAsync(1);
        for (var i = 0; i < 20; i++)
        {
            await LoadAsync(card, 10, days: 10 + i);
        }

        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 200), 201);
        var paid = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 1), 201);
        Assert.Equal(1, GiftcardApi.Amount(paid, "captured"));
    }

    [Theory]
    [InlineData("immediate", "spend")]
    [InlineData("two_phase", "place")]
    public async Task Fault_09_a_redemption_that_the_ledger_refuses_unexpectedly_ends_and_operators_see_it(
        string mode,
        string call
    )
    {
        var (_, code) = await api.SellAsync(1000);
        var key = Guid.CreateVersion7().ToString();
        api.Ledger.RefuseWith[call] = Unexpected;
        var refusal = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, mode), 422, key);
        api.Ledger.RefuseWith.Clear();
        Assert.Equal("operation_failed", GiftcardApi.Code(refusal));
        var again = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, mode), 422, key);
        Assert.Equal(refusal.GetRawText(), again.GetRawText());
        Assert.Equal(0, await api.CountAsync("SELECT count(*) FROM redemptions WHERE state = 'authorizing'"));
        Assert.Contains("redemptions", await AttentionAsync());
        var parked = (await api.InspectAsync("/ops/v1/runs?health=parked")).GetProperty("data")[0];
        var id = parked.GetProperty("redemption_id").GetString()!;
        Assert.Equal("refused", parked.GetProperty("redemption_state").GetString());
        await api.OperateAsync($"/ops/v1/runs/{id}/retry", new { reason = "seen" }, 200);
        Assert.DoesNotContain(
            (await api.InspectAsync("/ops/v1/runs?health=parked")).GetProperty("data").EnumerateArray(),
            run => run.GetProperty("redemption_id").GetString() == id
        );
    }

    [Fact]
    public async Task Fault_09_what_an_earlier_try_held_is_not_taken_for_refused()
    {
        var (_, code) = await api.SellAsync(1000);
        var key = Guid.CreateVersion7().ToString();
        var body = GiftcardApi.Redemption(code, 100, reference: "tck-mute");
        api.Ledger.MuteAfter["spend"] = true;
        await api.PostAsync("/v1/redemptions", body, 503, key);
        api.Ledger.MuteAfter.Clear();
        api.Ledger.RefuseWith["spend"] = Unexpected;
        await Eventually.TrueAsync(
            async () =>
                await api.CountAsync(
                    "SELECT count(*) FROM redemptions WHERE reference = 'tck-mute' AND state = 'completed'"
                ) == 1,
            TimeSpan.FromSeconds(60),
            () => api.Service.Output
        );
        api.Ledger.RefuseWith.Clear();
        Assert.Equal(
            "completed",
            (await api.PostAsync("/v1/redemptions", body, 201, key)).GetProperty("state").GetString()
        );
    }

    [Fact]
    public async Task Fault_09_a_capture_a_refund_and_a_load_that_are_refused_unexpectedly_are_seen_too()
    {
        var (card, code) = await api.SellAsync(1000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, "two_phase"), 201);
        api.Ledger.RefuseWith["capture"] = Unexpected;
        api.Ledger.RefuseWith["reverse"] = Unexpected;
        var id = held.GetProperty("id").GetString();
        Assert.Equal(
            "confirming",
            (await api.PostAsync($"/v1/redemptions/{id}/confirm", new { }, 202)).GetProperty("state").GetString()
        );
        Assert.True((await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("needs_attention").GetBoolean());

        var paid = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 201))
            .GetProperty("id")
            .GetString();
        Assert.Equal(
            "operation_failed",
            GiftcardApi.Code(await api.PostAsync($"/v1/redemptions/{paid}/refunds", new { }, 422))
        );
        Assert.True((await api.GetAsync($"/v1/redemptions/{paid}")).GetProperty("needs_attention").GetBoolean());

        api.Ledger.RefuseWith["post"] = Unexpected;
        Assert.Equal(
            "operation_failed",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/gift_cards/{card}/load", new { amount = GiftcardApi.Eur(100) }, 422)
            )
        );
        api.Ledger.RefuseWith.Clear();
        var kinds = await AttentionAsync();
        Assert.Subset(
            kinds.ToHashSet(),
            new HashSet<string> { "redemptions", "redemption_refunds", "card_operations" }
        );
        await api.StateAsync(id!, "completed");
    }

    [Fact]
    public async Task Fault_09_of_two_extensions_at_once_the_longer_one_stays_and_neither_is_an_error()
    {
        var (_, code) = await api.SellAsync(1000);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, "two_phase"), 201);
        var id = held.GetProperty("id").GetString();
        var end = held.GetProperty("hold_expires_at").GetDateTimeOffset();
        var answers = await Task.WhenAll(
            Enumerable
                .Range(1, 8)
                .Select(async minutes =>
                {
                    var body = new { hold_expires_at = end.AddMinutes(minutes) };
                    using var answer = await api.SendAsync(
                        HttpMethod.Post,
                        $"/v1/redemptions/{id}/extend",
                        api.Key,
                        body,
                        null
                    );
                    return (
                        Minutes: minutes,
                        Status: (int)answer.StatusCode,
                        Text: await answer.Content.ReadAsStringAsync()
                    );
                })
        );

        // One that came when a longer one was written down already asks for nothing that is left to do.
        Assert.All(answers, a => Assert.True(a.Status is 200 or 400, a.Text));
        Assert.Equal(200, answers[^1].Status);
        Assert.Equal(
            end.AddMinutes(8),
            (await api.GetAsync($"/v1/redemptions/{id}")).GetProperty("hold_expires_at").GetDateTimeOffset()
        );
    }

    [Fact]
    public async Task Fault_30_what_cannot_be_driven_says_why_in_its_own_table_and_is_shown_after_ten_tries()
    {
        var (card, code) = await api.SellAsync(1000);
        var paid = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 500), 201))
            .GetProperty("id")
            .GetString();
        var till = await OfflineTill.OpenAsync(api, 5000, 5000);
        foreach (var call in new[] { "reverse", "post" })
        {
            api.Ledger.DeafTo[call] = true;
        }

        await api.PostAsync($"/v1/redemptions/{paid}/refunds", new { }, 503);
        await api.PostAsync($"/v1/gift_cards/{card}/load", new { amount = GiftcardApi.Eur(100) }, 503);
        await api.PostAsync(till.BatchPath, till.Batch(till.Item(code, 2000)), 200, "");
        string[] tables = ["redemption_refunds", "card_operations", "offline_items"];
        foreach (var table in tables)
        {
            await api.SqlAsync($"UPDATE {table} SET drive_attempts = 9, drive_after = now() WHERE state = 'pending'");
        }

        await Eventually.TrueAsync(
            async () => tables.All((await StuckAsync()).Contains),
            TimeSpan.FromSeconds(60),
            () => api.Service.Output
        );
        api.Ledger.DeafTo.Clear();
        foreach (var table in tables)
        {
            await api.SqlAsync($"UPDATE {table} SET drive_after = now() WHERE state = 'pending'");
        }

        await Eventually.TrueAsync(
            async () => !tables.Any((await StuckAsync()).Contains),
            TimeSpan.FromSeconds(60),
            () => api.Service.Output
        );
    }

    /// <summary>The kinds of what is tried again and again, and says that the ledger is silent.</summary>
    private async Task<IReadOnlyList<string>> StuckAsync() =>
        [
            .. (await api.InspectAsync("/ops/v1/giftcard/attention"))
                .GetProperty("data")
                .EnumerateArray()
                .Where(item =>
                    item.TryGetProperty("next_try_at", out _)
                    && item.TryGetProperty("error", out var error)
                    && error.GetString()!.StartsWith("The ledger did not answer", StringComparison.Ordinal)
                )
                .Select(item => item.GetProperty("kind").GetString()!),
        ];

    private Task<JsonElement> LoadAsync(string card, long amount, int days) =>
        api.PostAsync(
            $"/v1/gift_cards/{card}/load",
            new
            {
                amount = GiftcardApi.Eur(amount),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(days),
            }
        );

    private async Task<IReadOnlyList<string>> AttentionAsync() =>
        [
            .. (await api.InspectAsync("/ops/v1/giftcard/attention"))
                .GetProperty("data")
                .EnumerateArray()
                .Select(item => item.GetProperty("kind").GetString()!),
        ];
}
