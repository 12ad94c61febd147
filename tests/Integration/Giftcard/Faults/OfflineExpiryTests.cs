using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>
/// A card that was good when the goods were handed over pays for them, whatever became of it before the till could
/// tell. All books are those of a merchant of the test's own, so that nobody else's expiry is counted.
/// </summary>
public sealed class OfflineExpiryTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fault_11_a_card_that_expired_before_the_upload_pays_from_what_its_expiry_took(bool jobRan)
    {
        var (merchant, key) = api.NewMerchant();
        var (card, code) = await api.SellAsync(1000, key: key);
        var till = await OfflineTill.OpenAsync(api, 5000, 5000, key);
        var item = till.Item(code, 700);
        await ExpireAsync(card, jobRan);
        Assert.Equal((700, 0), Paid(Assert.Single(await till.SettledAsync(item))));
        Assert.Equal(700, Posted(merchant, "merchant:payable"));
        Assert.Equal(jobRan ? 300 : 0, Posted(merchant, "programme:breakage"));
        Assert.DoesNotContain("merchant:receivable", Owing(merchant));
        await api.RunJobAsync("expired-giftcards");
        Assert.Equal(300, Posted(merchant, "programme:breakage"));
        var breakage = (await api.GetAsync("/v1/reports/breakage", key: key)).GetProperty("data")[0];
        Assert.Equal((700, 300), (GiftcardApi.Amount(breakage, "redeemed"), GiftcardApi.Amount(breakage, "breakage")));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Fault_11_what_expired_is_given_to_each_item_once_and_no_more_than_there_was()
    {
        var (merchant, key) = api.NewMerchant();
        var (card, code) = await api.SellAsync(1000, key: key);
        var till = await OfflineTill.OpenAsync(api, 5000, 5000, key);
        var items = new[] { till.Item(code, 700), till.Item(code, 700) };
        await ExpireAsync(card, jobRan: true);
        var paid = await till.SettledAsync(items);
        Assert.Equal([(700, 0), (300, 400)], paid.Select(Paid));
        Assert.Equal([(700, 0), (300, 400)], (await till.SettledAsync(items)).Select(Paid));
        Assert.Equal(
            (0, 1400, -400),
            (
                Posted(merchant, "programme:breakage"),
                Posted(merchant, "merchant:payable"),
                Posted(merchant, "merchant:receivable")
            )
        );

        // What the offline till has had is not given back a second time.
        await api.PostAsync(
            $"/v1/gift_cards/{card}/extend",
            new { expires_at = TimeProvider.System.GetUtcNow().AddDays(1) },
            key: key
        );
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}", key: key), "balance"));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Fault_11_a_card_that_was_replaced_before_the_upload_pays_through_its_heir()
    {
        var (merchant, key) = api.NewMerchant();
        var (card, code) = await api.SellAsync(1000, key: key);
        var till = await OfflineTill.OpenAsync(api, 5000, 5000, key);
        var item = till.Item(code, 700);
        var heir = await api.PostAsync($"/v1/gift_cards/{card}/replace", new { reason = "lost" }, 201, key: key);
        var first = heir.GetProperty("id").GetString();
        var second = await api.PostAsync($"/v1/gift_cards/{first}/replace", new { reason = "lost" }, 201, key: key);
        Assert.Equal((700, 0), Paid(Assert.Single(await till.SettledAsync(item))));
        var last = await api.GetAsync($"/v1/gift_cards/{second.GetProperty("id").GetString()}", key: key);
        Assert.Equal(300, GiftcardApi.Amount(last, "balance"));
        Assert.DoesNotContain("merchant:receivable", Owing(merchant));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task Fault_11_a_card_that_was_not_good_at_the_hand_over_is_the_shops_risk()
    {
        var (merchant, key) = api.NewMerchant();
        var (lost, code) = await api.SellAsync(1000, key: key);
        var (old, stale) = await api.SellAsync(1000, key: key);
        await api.PostAsync($"/v1/gift_cards/{lost}/replace", new { reason = "lost" }, 201, key: key);
        await ExpireAsync(old, jobRan: true);
        var till = await OfflineTill.OpenAsync(api, 5000, 5000, key);
        // The second claims an hour before the allowance was given: nobody can say that, and the card has expired.
        var paid = await till.SettledAsync(
            till.Item(code, 700),
            till.Item(stale, 700),
            till.Item(stale, 700, TimeProvider.System.GetUtcNow().AddHours(-2))
        );
        Assert.All(paid, item => Assert.Equal((0, 700), Paid(item)));
        Assert.Equal(-2100, Posted(merchant, "merchant:receivable"));
        Assert.Equal(1000, Posted(merchant, "programme:breakage"));
        Assert.Equal(0, api.Ledger.Total());
    }

    private static (long Captured, long Shortfall) Paid(System.Text.Json.JsonElement item) =>
        (GiftcardApi.Amount(item, "captured"), GiftcardApi.Amount(item, "shortfall"));

    /// <summary>The card's time is over from now on.</summary>
    private async Task ExpireAsync(string card, bool jobRan)
    {
        await api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = clock_timestamp() WHERE gift_card_id = '{GiftcardApi.CardUuid(card)}';
            UPDATE gift_card_lots SET expires_at = clock_timestamp()
             WHERE gift_card_id = '{GiftcardApi.CardUuid(card)}'
            """
        );
        if (jobRan)
        {
            await api.RunJobAsync("expired-giftcards");
        }
    }

    private long Posted(MerchantId merchant, string account) =>
        api.Ledger.Names(merchant.ToString()).Contains(account)
            ? api.Ledger.AccountNamed(merchant.ToString(), account).Posted
            : 0;

    /// <summary>The accounts of a merchant that something was ever posted to or from.</summary>
    private IEnumerable<string> Owing(MerchantId merchant) =>
        api.Ledger.Names(merchant.ToString()).Where(name => Posted(merchant, name) != 0);
}
