using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Giftcard;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>A balance in a cache is looked at, and pays nothing.</summary>
public sealed class PoisonTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const long Value = 100;
    private const long Poison = 1_000_000;

    [Fact]
    public async Task A_poisoned_balance_is_shown_and_pays_nothing()
    {
        var (id, code) = await api.SellAsync(Value);
        await using var database = await TestDatabase.CreateAsync("wallet", typeof(PersonalData).Assembly);
        string key;
        CachedHolder holder;
        await using (var wallet = await WalletReplicas.StartAsync(database, api.Sidecar, api.GrpcPort))
        {
            holder = await WalletReplicas.NewHolderAsync(wallet, api.Sidecar);
            holder = holder with { Card = GiftCardId.Parse(id) };
            await wallet.DeliverAsync(WalletReplicas.Cards, holder.Activated());
            await wallet.DeliverAsync(WalletReplicas.Ledger, holder.Balance(Value, 1));
            key = $"wallet:balance:{holder.Customer}:v{LocalPlus.Wallet.Balances.WalletReader.Balance.Version}";
            await Eventually.TrueAsync(async () =>
                await WalletReplicas.SumAsync(wallet, holder) == Value && api.State.Read(key) is not null
            );
        }

        // The poison works: a replica that has no copy of its own shows it, unless the shared cache is too slow.
        var poison = Poisoned(api.State.Read(key)!);
        await Eventually.TrueAsync(async () =>
        {
            api.State.Write(key, poison);
            await using var fresh = await WalletReplicas.StartAsync(database, api.Sidecar, api.GrpcPort);
            return await WalletReplicas.SumAsync(fresh, holder) == Poison;
        });
        var refused = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, Value + 1), 422);
        Assert.Equal("insufficient_balance", GiftcardApi.Code(refused));
        var taken = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, Value), 201);
        Assert.Equal("completed", taken.GetProperty("state").GetString());
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{id}"), "balance"));
    }

    /// <summary>The entry as the service wrote it, with another amount.</summary>
    private static byte[] Poisoned(byte[] entry)
    {
        var root = JsonNode.Parse(entry)!.AsObject();
        var kept = Find(root) ?? throw new InvalidOperationException(Encoding.UTF8.GetString(entry));
        var wallet = JsonNode.Parse(Convert.FromBase64String(kept["json"]!.GetValue<string>()))!;
        foreach (var balance in wallet["wallet"]!["balances"]!.AsArray())
        {
            balance!["amount"] = Poison;
        }

        kept["json"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(wallet.ToJsonString()));
        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    private static JsonObject? Find(JsonNode? node) =>
        node is not JsonObject members ? null
        : members.ContainsKey("json") ? members
        : members.Select(member => Find(member.Value)).FirstOrDefault(found => found is not null);
}
