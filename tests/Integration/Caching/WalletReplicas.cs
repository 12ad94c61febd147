using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;
using ZiggyCreatures.Caching.Fusion.Backplane;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>A holder's customer with one card, and the account that its value is on.</summary>
public sealed record CachedHolder(MerchantId Merchant, string Key, string Customer, GiftCardId Card, AccountId Account)
{
    /// <summary>The card in the holder's wallet.</summary>
    public TestEvent Activated() => OfCard("gift_card.activated", 1);

    public TestEvent OfCard(string type, long sequence) =>
        new(
            type,
            Card.ToString(),
            sequence,
            Merchant,
            new
            {
                gift_card_id = Card.ToString(),
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                amount = 5000,
                currency = "EUR",
                customer_id = Customer,
            }
        );

    /// <summary>What is on the card after an entry of the ledger.</summary>
    public TestEvent Balance(long balance, long sequence) =>
        new(
            "ledger.transaction.posted",
            Account.ToString(),
            sequence,
            Merchant,
            new
            {
                account_id = Account.ToString(),
                account_name = $"card:{Card}:paid",
                asset = "EUR",
                balance_after = balance,
                sequence,
            }
        );
}

/// <summary>Replicas of the wallet as processes, over one database, one state store and one broadcast.</summary>
public sealed class WalletReplicas : IAsyncLifetime
{
    public const string Cards = "giftcard.cards.v1";
    public const string Ledger = "ledger.transactions.v1";
    private const int Count = 3;
    private readonly ConcurrentDictionary<(int Replica, string Copy), long> heard = [];
    private StubDapr dapr = null!;

    public TestDatabase Database { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    internal StubStateStore Store => dapr.Store;

    public IReadOnlyList<RunningService> All { get; private set; } = [];

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        dapr = await StubDapr.StartAsync();
        All = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => StartAsync(Database, Sidecar, dapr.Port)));
        foreach (var (number, replica) in All.Index())
        {
            // A broker takes a message and delivers it afterwards.
            Store.Replicas.Add(
                (topic, body) =>
                {
                    _ = HearAsync(number, replica, topic, body);
                    return Task.CompletedTask;
                }
            );
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var replica in All)
        {
            await replica.DisposeAsync();
        }

        await dapr.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
    }

    public static Task<ServiceProcess> StartAsync(TestDatabase database, StubSidecar sidecar, int grpcPort) =>
        ServiceProcess.StartAsync(
            typeof(PersonalData).Assembly.Location,
            database,
            sidecar.Port,
            grpcPort,
            ("Secrets__pii_key", new string('k', 44))
        );

    /// <summary>A customer with a card in its wallet, as far as that replica has been told.</summary>
    public static async Task<CachedHolder> NewHolderAsync(RunningService replica, StubSidecar sidecar)
    {
        var merchant = MerchantId.New(TimeProvider.System);
        var key = sidecar.IssueKey(merchant, "customers:read", "customers:write", "privacy:read", "privacy:write");
        var (attempt, customer) = (Guid.CreateVersion7().ToString(), "");
        // A service that has just started may have no time left: any till repeats with its key.
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await replica.SendAsync(
                HttpMethod.Post,
                "/v1/customers",
                key,
                new { email = "holder@example.test" },
                attempt
            );
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode is 201 or 503, text);
            customer =
                (int)answer.StatusCode == 201
                    ? JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!
                    : "";
            return customer.Length > 0;
        });
        var holder = new CachedHolder(
            merchant,
            key,
            customer,
            GiftCardId.New(TimeProvider.System),
            AccountId.New(TimeProvider.System)
        );
        await replica.DeliverAsync(Cards, holder.Activated());
        return holder;
    }

    public static Task<JsonElement> WalletAsync(RunningService replica, CachedHolder holder, int status = 200) =>
        replica.CallAsync(HttpMethod.Get, $"/v1/customers/{holder.Customer}/wallet", holder.Key, status: status);

    /// <summary>The sum of a wallet that has one currency.</summary>
    public static async Task<long> SumAsync(RunningService replica, CachedHolder holder) =>
        (await WalletAsync(replica, holder)).GetProperty("balances")[0].GetProperty("amount").GetInt64();

    /// <summary>The version that every replica has been told of, of a customer's wallet.</summary>
    public long HeardOf(CachedHolder holder) => HeardOf("balance", holder.Customer);

    /// <summary>The same of each replica, for people.</summary>
    public string Heard(CachedHolder holder) =>
        string.Join(
            ", ",
            Enumerable.Range(0, Count).Select(n => heard.GetValueOrDefault((n, $"balance:{holder.Customer}")))
        );

    /// <summary>As the other, of any copy: one change may drop several of one id, each with news of its own.</summary>
    public long HeardOf(string entity, string id) =>
        Enumerable.Range(0, Count).Min(replica => heard.GetValueOrDefault((replica, $"{entity}:{id}")));

    /// <summary>As the sidecar of that replica delivers a broadcast: until it is taken.</summary>
    private async Task HearAsync(int number, RunningService replica, string topic, byte[] body)
    {
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await replica.App.PostAsync(
                new Uri($"/events/{topic}", UriKind.Relative),
                JsonContent.Create(new { data_base64 = Convert.ToBase64String(body) })
            );
            return answer.IsSuccessStatusCode;
        });
        var news = JsonSerializer.Deserialize<CacheNews>(body, StrictJson.Lenient)!;
        // service:entity:id:version
        var key = BackplaneMessage.FromByteArray(news.Message).CacheKey!.Split(':');
        heard.AddOrUpdate((number, $"{key[1]}:{key[2]}"), news.Version, (_, known) => Math.Max(known, news.Version));
    }
}
