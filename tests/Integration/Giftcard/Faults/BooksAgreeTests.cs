using System.Text.Json;
using LocalPlus.Tests.Integration.Ledger;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>Giftcard before a ledger that runs: what the one tells of money is what the other has.</summary>
public sealed class BooksAgreeTests : IAsyncLifetime
{
    private readonly LedgerFixture ledger = new();
    private readonly GiftcardApi api;
    private readonly List<string> cards = [];

    public BooksAgreeTests() => api = new GiftcardApi { Books = ledger };

    public async Task InitializeAsync()
    {
        await ledger.InitializeAsync();
        await api.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await api.DisposeAsync();
        await ledger.DisposeAsync();
    }

    [Fact]
    public async Task Fault_03_After_every_story_activities_accounts_settlement_and_liability_agree()
    {
        var shop = api.NewMerchant();
        var program = (
            await DoAsync(
                "/v1/programs",
                new
                {
                    name = "Town card",
                    currency = "EUR",
                    validity_days = 10,
                    cash_out_below = GiftcardApi.Eur(1000),
                    accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = 250 } },
                }
            )
        ).GetProperty("id").GetString()!;
        await api.AcceptAsync(program, shop.Key);

        // Loaded, spent in both modes, refunded, let go.
        var (first, code) = await SellAsync(program, 5000);
        await VerbAsync(first, "load", new { amount = GiftcardApi.Eur(2000) });
        await VerbAsync(
            first,
            "load",
            new
            {
                amount = GiftcardApi.Eur(300),
                kind = "promo",
                expires_at = TimeProvider.System.GetUtcNow().AddDays(5),
            }
        );
        await RefundAsync(await RedeemAsync(code, 1200), 500);
        await EndAsync(await RedeemAsync(code, 800, "two_phase"), "confirm", new { amount = GiftcardApi.Eur(600) });
        await EndAsync(await RedeemAsync(code, 400, "two_phase"), "cancel", null);

        // Moved, and blocked with something on hold.
        var (second, other) = await SellAsync(program, 1000);
        await VerbAsync(first, "transfer", new { to = second, amount = GiftcardApi.Eur(700) });
        await RedeemAsync(other, 150, "two_phase");
        await VerbAsync(second, "block", new { reason = "reported stolen" });

        // Spent elsewhere, in both modes, and refunded.
        await RefundAsync(await RedeemAsync(code, 1000, key: shop.Key), 300, shop.Key);
        await EndAsync(
            await RedeemAsync(code, 500, "two_phase", shop.Key),
            "confirm",
            new { amount = GiftcardApi.Eur(500) },
            shop.Key
        );

        // Paid out, and run out with something on hold that comes back after.
        var (third, small) = await SellAsync(program, 900);
        await RedeemAsync(small, 200);
        await VerbAsync(third, "cash_out", null);
        var (fourth, late) = await SellAsync(program, 1000);
        var held = await RedeemAsync(late, 250, "two_phase");
        await AgeAsync(fourth);
        await api.RunJobAsync("expired-giftcards");
        await EndAsync(held, "cancel", null);

        // What a hold gives back to a card that has run out is booked by itself, soon after.
        string[] differences = [];
        await Eventually.TrueAsync(
            async () => (differences = await DifferencesAsync(program, shop.Id.ToString())).Length == 0,
            because: () => $"{string.Join('\n', differences)}\n{api.Service.Output}"
        );
        Assert.Equal(5000 + 2000 + 300 - 1200 + 500 - 600 - 1200 + 1000, await LiabilityAsync(program));
        await NobodyElseMovesItAsync(first);
        Assert.Empty(await DifferencesAsync(program, shop.Id.ToString()));
    }

    /// <summary>The ledger's own door, with the issuer's key, puts nothing on a card.</summary>
    private async Task NobodyElseMovesItAsync(string card)
    {
        var rest = new RestClient(ledger, api.Merchant);
        var accounts = await AccountsAsync();
        string Id(string name) =>
            accounts.Single(a => a.GetProperty("name").GetString() == name).GetProperty("id").GetString()!;
        var answer = await rest.TransferAsync(Id("clearing"), Id($"card:{card}:paid"), 50_000);
        Assert.Equal("owned_by_service", answer.Code);
    }

    /// <summary>Everything that two places tell differently.</summary>
    private async Task<string[]> DifferencesAsync(string program, string shop)
    {
        var accounts = await AccountsAsync();
        long Posted(string prefix) =>
            accounts
                .Where(a => a.GetProperty("name").GetString()!.StartsWith(prefix, StringComparison.Ordinal))
                .Sum(a => a.GetProperty("posted").GetInt64());
        var differences = new List<string>();
        void Same(string what, long told, long booked)
        {
            if (told != booked)
            {
                differences.Add($"{what}: told {told}, booked {booked}");
            }
        }

        foreach (var card in cards)
        {
            var activities = (await api.GetAsync($"/v1/gift_cards/{card}/activities?limit=100")).GetProperty("data");
            Same(card, activities.EnumerateArray().Sum(a => GiftcardApi.Amount(a, "amount")), Posted($"card:{card}:"));
        }

        var owed = (await api.GetAsync("/v1/reports/settlement"))
            .GetProperty("data")
            .EnumerateArray()
            .Single(line => line.GetProperty("merchant_id").GetString() == shop);
        Same("net", GiftcardApi.Amount(owed, "net"), Posted($"payable:{shop}"));
        Same("commission", GiftcardApi.Amount(owed, "commission"), Posted($"commission:{shop}"));
        Same("captured", GiftcardApi.Amount(owed, "captured") - GiftcardApi.Amount(owed, "refunded"), 1200);
        Same("liability", await LiabilityAsync(program), Posted("card:"));
        Same("breakage", 1000, Posted("programme:breakage"));
        Same("everything", 0, Posted(""));
        return [.. differences];
    }

    private async Task<long> LiabilityAsync(string program) =>
        GiftcardApi.Amount(
            (await api.GetAsync("/v1/reports/liability"))
                .GetProperty("data")
                .EnumerateArray()
                .Single(line => line.GetProperty("program_id").GetString() == program),
            "outstanding"
        );

    private async Task<JsonElement[]> AccountsAsync()
    {
        var page = await new RestClient(ledger, api.Merchant).GetAsync("/v1/accounts?limit=100");
        Assert.Equal(200, page.Status);
        Assert.False(page["has_more"].GetBoolean());
        return [.. page["data"].EnumerateArray()];
    }

    private async Task<(string Id, string Code)> SellAsync(string program, long amount)
    {
        var card = await DoAsync("/v1/gift_cards", new { program_id = program, amount = GiftcardApi.Eur(amount) });
        cards.Add(card.GetProperty("id").GetString()!);
        return (cards[^1], card.GetProperty("code").GetString()!);
    }

    private async Task<string> RedeemAsync(string code, long amount, string mode = "immediate", string? key = null) =>
        (await DoAsync("/v1/redemptions", GiftcardApi.Redemption(code, amount, mode), key))
            .GetProperty("id")
            .GetString()!;

    private Task<JsonElement> RefundAsync(string redemption, long amount, string? key = null) =>
        DoAsync($"/v1/redemptions/{redemption}/refunds", new { amount = GiftcardApi.Eur(amount) }, key);

    private Task<JsonElement> EndAsync(string redemption, string verb, object? body, string? key = null) =>
        DoAsync($"/v1/redemptions/{redemption}/{verb}", body, key);

    private Task<JsonElement> VerbAsync(string card, string verb, object? body) =>
        DoAsync($"/v1/gift_cards/{card}/{verb}", body);

    /// <summary>Does it once; busy, or still at it, is asked again with the same key.</summary>
    private async Task<JsonElement> DoAsync(string path, object? body, string? key = null)
    {
        var (once, text) = (Guid.CreateVersion7().ToString(), "");
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await api.SendAsync(HttpMethod.Post, path, key ?? api.Key, body, once);
                text = await answer.Content.ReadAsStringAsync();
                Assert.True(
                    answer.IsSuccessStatusCode
                        || (int)answer.StatusCode is 503
                        || text.Contains("request_in_progress", StringComparison.Ordinal)
                        || text.Contains("gift_card_busy", StringComparison.Ordinal),
                    $"{path} {text}"
                );
                return (int)answer.StatusCode is 200 or 201;
            },
            because: () => $"{path} {text}\n{api.Service.Output}"
        );
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private Task AgeAsync(string id) =>
        api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                id
            )}';
            UPDATE gift_card_lots SET expires_at = now() - interval '1 hour'
             WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}'
            """
        );
}
