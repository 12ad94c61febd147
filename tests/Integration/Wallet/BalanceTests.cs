using System.Globalization;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class BalanceTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Ledger = "ledger.transactions.v1";
    private const string Holds = "ledger.holds.v1";

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
    public async Task What_open_redemptions_hold_is_shown_and_is_not_left_on_the_card()
    {
        var holder = await NewHolderAsync();
        var (card, other) = (GiftCardId.New(TimeProvider.System), GiftCardId.New(TimeProvider.System));
        var account = AccountId.New(TimeProvider.System);
        await api.Service.DeliverAsync(Cards, Activated(holder, card, 1));
        await api.Service.DeliverAsync(Cards, Activated(holder, other, 1));
        // What is held is told first, and its older word comes last.
        var held = Held(holder, card, 1500, revision: 7, account);
        await api.Service.DeliverAsync(Holds, held);
        await api.Service.DeliverAsync(Ledger, Balance(holder, card, "paid", 5000, sequence: 3, account));
        await api.Service.DeliverAsync(Ledger, Balance(holder, other, "paid", 100, sequence: 1));
        await api.Service.DeliverAsync(Holds, Held(holder, card, 0, revision: 6, account));
        await api.Service.DeliverAsync(Holds, held);

        var wallet = await WalletAsync(holder);

        var shown = wallet
            .GetProperty("gift_cards")
            .EnumerateArray()
            .Single(c => c.GetProperty("gift_card_id").GetString() == card.ToString());
        Assert.Equal((5000, 1500, 3500), (Of(shown, "balance"), Of(shown, "held"), Of(shown, "available")));
        var total = Assert.Single(wallet.GetProperty("totals").EnumerateArray());
        Assert.Equal("EUR", total.GetProperty("currency").GetString());
        Assert.Equal(
            (5100, 1500, 3600),
            (
                total.GetProperty("posted").GetInt64(),
                total.GetProperty("held").GetInt64(),
                total.GetProperty("available").GetInt64()
            )
        );
        await NewsEndsWithAsync(holder, posted: 5100, held: 1500);

        await api.Service.DeliverAsync(Holds, Held(holder, card, 0, revision: 8, account));

        await NewsEndsWithAsync(holder, posted: 5100, held: 0);
        Assert.Equal(5100, (await WalletAsync(holder)).GetProperty("totals")[0].GetProperty("available").GetInt64());

        static long Of(JsonElement card, string member) => card.GetProperty(member).GetProperty("amount").GetInt64();
    }

    [Fact]
    public async Task Another_merchant_s_events_change_nothing_in_a_wallet()
    {
        var (holder, stranger) = (await NewHolderAsync(), await NewHolderAsync());
        var (card, account) = (GiftCardId.New(TimeProvider.System), AccountId.New(TimeProvider.System));
        await api.Service.DeliverAsync(Cards, Activated(holder, card, 1));
        await api.Service.DeliverAsync(Ledger, Balance(holder, card, "paid", 5000, sequence: 3, account));

        await api.Service.DeliverAsync(Cards, Card("gift_card.blocked", stranger, card, 9));
        await api.Service.DeliverAsync(Ledger, Balance(stranger, card, "paid", 1, sequence: 9, account));
        await api.Service.DeliverAsync(Ledger, Balance(stranger, card, "promo", 777, sequence: 9));
        await api.Service.DeliverAsync(Holds, Held(stranger, card, 4000, revision: 9, account));

        var wallet = await WalletAsync(holder);
        var shown = Assert.Single(wallet.GetProperty("gift_cards").EnumerateArray());
        Assert.Equal("active", shown.GetProperty("status").GetString());
        Assert.Equal(5000, shown.GetProperty("available").GetProperty("amount").GetInt64());
        var total = Assert.Single(wallet.GetProperty("totals").EnumerateArray());
        Assert.Equal((5000, 0), (total.GetProperty("posted").GetInt64(), total.GetProperty("held").GetInt64()));
        Assert.Empty((await WalletAsync(stranger)).GetProperty("gift_cards").EnumerateArray());
    }

    [Fact]
    public async Task A_wallet_s_days_are_told_whatever_the_order_in_which_they_came()
    {
        var holder = await NewHolderAsync();
        var (card, account) = (GiftCardId.New(TimeProvider.System), AccountId.New(TimeProvider.System));
        await api.Service.DeliverAsync(Cards, Activated(holder, card, 1));
        var paid = new[] { ("2026-03-01T09:00Z", 5000), ("2026-03-01T23:59Z", 4000), ("2026-03-03T00:00Z", 1500) }
            .Select(
                (told, n) =>
                    Balance(holder, card, "paid", told.Item2, n + 1, account) with
                    {
                        OccurredAt = DateTimeOffset.Parse(told.Item1, CultureInfo.InvariantCulture),
                    }
            )
            .ToArray();
        await api.Service.DeliverAsync(Ledger, paid[2]);
        await api.Service.DeliverAsync(Ledger, paid[1]);
        await api.Service.DeliverAsync(Ledger, paid[0]);
        await api.Service.DeliverAsync(
            Ledger,
            Balance(holder, card, "promo", 300, 1) with
            {
                OccurredAt = DateTimeOffset.Parse("2026-03-02T12:00Z", CultureInfo.InvariantCulture),
            }
        );

        string[] expected =
        [
            "2026-02-28 -",
            "2026-03-01 4000",
            "2026-03-02 4300",
            "2026-03-03 1800",
            "2026-03-04 1800",
        ];
        Assert.Equal(expected, await DaysAsync("2026-02-28", "2026-03-04"));
        Assert.Equal("2026-03-02 4300", Assert.Single(await DaysAsync("2026-03-02", "2026-03-02")));
        Assert.Equal(
            30,
            (await api.Service.CallAsync(HttpMethod.Get, Days(""), holder.Key)).GetProperty("data").GetArrayLength()
        );
        await api.Service.CallAsync(HttpMethod.Get, Days("?from=2026-03-02&to=2026-03-01"), holder.Key, status: 400);
        await api.Service.CallAsync(HttpMethod.Get, Days("?from=2020-03-02&to=2026-03-01"), holder.Key, status: 400);
        await api.Service.CallAsync(HttpMethod.Get, Days(""), (await NewHolderAsync()).Key, status: 404);

        async Task<string[]> DaysAsync(string from, string to) =>
            [
                .. (await api.Service.CallAsync(HttpMethod.Get, Days($"?from={from}&to={to}"), holder.Key))
                    .GetProperty("data")
                    .EnumerateArray()
                    .Select(day =>
                        $"{day.GetProperty("date").GetString()} "
                        + string.Join(
                            ',',
                            day.GetProperty("balances")
                                .EnumerateArray()
                                .Select(b => $"{b.GetProperty("amount").GetInt64()}")
                                .DefaultIfEmpty("-")
                        )
                    ),
            ];

        string Days(string query) => $"/v1/customers/{holder.Customer}/wallet/days{query}";
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

    private async Task NewsEndsWithAsync(Holder holder, long posted, long held = 0)
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
                .Any(b => b.GetProperty("posted").GetInt64() == posted && b.GetProperty("held").GetInt64() == held)
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

    private static TestEvent Held(Holder holder, GiftCardId card, long held, long revision, AccountId account) =>
        new(
            "ledger.account.held",
            account.ToString(),
            revision,
            holder.Merchant,
            new
            {
                account_id = account.ToString(),
                account_name = $"card:{card}:paid",
                asset = "EUR",
                held,
            }
        );

    private sealed record Holder(MerchantId Merchant, string Key, string? Customer);
}
