using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class BalanceTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Ledger = "ledger.transactions.v1";

    [Fact]
    public async Task A_wallet_shows_its_cards_and_what_is_on_them()
    {
        var holder = await NewHolderAsync();
        var card = GiftCardId.New(TimeProvider.System);
        await api.Service.DeliverAsync(Cards, Activated(holder, card, 1));
        await api.Service.DeliverAsync(Ledger, Balance(holder, card, "paid", 5000, sequence: 3));
        await api.Service.DeliverAsync(Ledger, Balance(holder, card, "promo", 500, sequence: 1));

        var wallet = await WalletAsync(holder);

        var shown = Assert.Single(wallet.GetProperty("gift_cards").EnumerateArray());
        Assert.Equal(card.ToString(), shown.GetProperty("gift_card_id").GetString());
        Assert.Equal("active", shown.GetProperty("status").GetString());
        Assert.Equal(5500, shown.GetProperty("balance").GetProperty("amount").GetInt64());
        var sum = Assert.Single(wallet.GetProperty("balances").EnumerateArray());
        Assert.Equal((5500, "EUR"), (sum.GetProperty("amount").GetInt64(), sum.GetProperty("currency").GetString()));
    }

    [Fact]
    public async Task Every_order_of_delivery_and_every_repeat_ends_the_same()
    {
        var random = new Random(7);
        for (var round = 0; round < 10; round++)
        {
            var holder = await NewHolderAsync();
            var card = GiftCardId.New(TimeProvider.System);
            var account = AccountId.New(TimeProvider.System);
            (string Topic, TestEvent Event)[] events =
            [
                (Cards, Activated(holder, card, 1)),
                (Cards, Card("gift_card.loaded", holder, card, 2)),
                (Cards, Card("gift_card.blocked", holder, card, 3)),
                .. Enumerable
                    .Range(1, 5)
                    .Select(n => (Ledger, Balance(holder, card, "paid", n * 100, sequence: n, account))),
            ];
            var deliveries = events.Concat(events.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(deliveries);
            await Task.WhenAll(deliveries.Take(4).Select(d => api.Service.DeliverAsync(d.Topic, d.Event)));
            foreach (var (topic, e) in deliveries.Skip(4))
            {
                await api.Service.DeliverAsync(topic, e);
            }

            var shown = Assert.Single((await WalletAsync(holder)).GetProperty("gift_cards").EnumerateArray());
            Assert.Equal(500, shown.GetProperty("balance").GetProperty("amount").GetInt64());
            Assert.Equal("blocked", shown.GetProperty("status").GetString());
            await NewsEndsWithAsync(holder, posted: 500);
        }
    }

    [Fact]
    public async Task Accounts_that_are_no_card_s_and_cards_of_nobody_are_in_no_wallet()
    {
        var holder = await NewHolderAsync();
        var card = GiftCardId.New(TimeProvider.System);
        await api.Service.DeliverAsync(Cards, Card("gift_card.activated", holder with { Customer = null }, card, 1));
        await api.Service.DeliverAsync(Ledger, Balance(holder, card, "paid", 5000, sequence: 1));
        await api.Service.DeliverAsync(
            Ledger,
            new TestEvent(
                "ledger.transaction.posted",
                AccountId.New(TimeProvider.System).ToString(),
                1,
                holder.Merchant,
                new
                {
                    account_id = AccountId.New(TimeProvider.System).ToString(),
                    account_name = "merchant:payable",
                    asset = "EUR",
                    balance_after = 1,
                    sequence = 1,
                }
            )
        );

        var wallet = await WalletAsync(holder);

        Assert.Empty(wallet.GetProperty("gift_cards").EnumerateArray());
        Assert.Empty(wallet.GetProperty("balances").EnumerateArray());
    }

    [Fact]
    public async Task Deliveries_of_the_same_cards_in_opposite_orders_do_not_wait_in_a_circle()
    {
        const int rounds = 20;
        var holder = await NewHolderAsync();
        var cards = Enumerable
            .Range(0, 100)
            .Select(_ => (Card: GiftCardId.New(TimeProvider.System), Account: AccountId.New(TimeProvider.System)))
            .ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            await Task.WhenAll(
                DeliverManyAsync(Cards, cards.Select(c => Card("gift_card.loaded", holder, c.Card, round))),
                DeliverManyAsync(
                    Ledger,
                    cards.Reverse().Select(c => Balance(holder, c.Card, "paid", round, round, c.Account))
                )
            );
        }

        var sum = Assert.Single((await WalletAsync(holder)).GetProperty("balances").EnumerateArray());
        Assert.Equal(rounds * cards.Length, sum.GetProperty("amount").GetInt64());
        Assert.DoesNotContain("40P01", api.Service.Output, StringComparison.Ordinal);
    }

    private async Task DeliverManyAsync(string topic, IEnumerable<TestEvent> events)
    {
        object[] entries =
        [
            .. events.Select(e => new { entryId = e.Id.ToString(), @event = new { data = e.Envelope() } }),
        ];
        var answer = await api.Service.DeliverManyAsync(topic, entries);
        Assert.All(
            answer.GetProperty("statuses").EnumerateArray(),
            s => Assert.Equal("SUCCESS", s.GetProperty("status").GetString())
        );
    }

    private async Task NewsEndsWithAsync(Holder holder, long posted)
    {
        IEnumerable<JsonElement> News() =>
            api
                .Sidecar.Published.Where(p => p.GetProperty("topic").GetString() == "wallet.balance-updated.v1")
                .Select(p => p.GetProperty("event").GetProperty("data"))
                .Where(envelope =>
                    envelope.GetProperty("data").GetProperty("customer_id").GetString() == holder.Customer
                );
        await Eventually.TrueAsync(() =>
            News().OrderBy(n => n.GetProperty("sequence").GetInt64()).LastOrDefault()
                is { ValueKind: JsonValueKind.Object } last
            && last.GetProperty("data")
                .GetProperty("balances")
                .EnumerateArray()
                .Any(b => b.GetProperty("posted").GetInt64() == posted)
        );
        var sequences = News().Select(n => n.GetProperty("sequence").GetInt64()).ToList();
        Assert.Equal(sequences.Count, sequences.Distinct().Count());
    }

    private async Task<Holder> NewHolderAsync()
    {
        var (merchant, key) = api.NewMerchant();
        var made = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "holder@example.test" },
            201
        );
        return new(merchant, key, made.GetProperty("id").GetString());
    }

    private Task<JsonElement> WalletAsync(Holder holder) =>
        api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{holder.Customer}/wallet", holder.Key);

    private static TestEvent Activated(Holder holder, GiftCardId card, long sequence) =>
        Card("gift_card.activated", holder, card, sequence);

    private static TestEvent Card(string type, Holder holder, GiftCardId card, long sequence) =>
        new(
            type,
            card.ToString(),
            sequence,
            holder.Merchant,
            new
            {
                gift_card_id = card.ToString(),
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                amount = 5000,
                currency = "EUR",
                customer_id = holder.Customer,
            }
        );

    private static TestEvent Balance(
        Holder holder,
        GiftCardId card,
        string lot,
        long balance,
        long sequence,
        AccountId? account = null
    )
    {
        var id = (account ?? AccountId.New(TimeProvider.System)).ToString();
        return new(
            "ledger.transaction.posted",
            id,
            sequence,
            holder.Merchant,
            new
            {
                account_id = id,
                account_name = $"card:{card}:{lot}",
                asset = "EUR",
                balance_after = balance,
                sequence,
            }
        );
    }

    private sealed record Holder(MerchantId Merchant, string Key, string? Customer);
}
