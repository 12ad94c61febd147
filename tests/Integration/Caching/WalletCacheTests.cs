using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Contracts.Wallet.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>Wallets out of caches, on three replicas of the service.</summary>
public sealed class WalletCacheTests(WalletReplicas wallets) : IClassFixture<WalletReplicas>
{
    [Fact]
    public async Task A_wallet_is_read_once_for_all_replicas_and_anew_after_each_change()
    {
        var holder = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        for (var n = 1; n <= 30; n++)
        {
            var heard = wallets.HeardOf(holder);
            await wallets.All[n % 3].DeliverAsync(WalletReplicas.Ledger, holder.Balance(n * 100, n));
            await Eventually.TrueAsync(
                () => wallets.HeardOf(holder) > heard,
                because: () => $"After change {n} no news of what is newer than {heard}: {wallets.Heard(holder)}."
            );

            foreach (var replica in wallets.All)
            {
                Assert.Equal(n * 100, await WalletReplicas.SumAsync(replica, holder));
            }
        }

        // What it says is a copy: nobody notices that the rows are others now.
        await ExecuteAsync($"UPDATE balance_snapshots SET posted = 1 WHERE account_id = '{holder.Account.Value}'");
        Assert.Equal(3000, await WalletReplicas.SumAsync(wallets.All[0], holder));
    }

    [Fact]
    public async Task A_card_that_is_blocked_is_shown_as_blocked_by_every_replica()
    {
        var holder = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        foreach (var replica in wallets.All)
        {
            Assert.Equal("active", await StatusAsync(replica, holder));
        }

        await wallets.All[1].DeliverAsync(WalletReplicas.Cards, holder.OfCard("gift_card.blocked", 2));

        foreach (var replica in wallets.All)
        {
            await Eventually.TrueAsync(
                async () => await StatusAsync(replica, holder) == "blocked",
                WalletBalanceLife / 2
            );
        }
    }

    [Fact]
    public async Task Who_is_forgotten_or_merged_has_no_wallet_of_before()
    {
        var holder = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        var other = await wallets
            .All[0]
            .CallAsync(HttpMethod.Post, "/v1/customers", holder.Key, new { email = "other@example.test" }, 201);
        var into = other.GetProperty("id").GetString()!;
        await wallets.All[0].DeliverAsync(WalletReplicas.Ledger, holder.Balance(700, 1));
        await WalletReplicas.WalletAsync(wallets.All[2], holder);
        await WalletReplicas.WalletAsync(wallets.All[2], holder with { Customer = into });

        await wallets
            .All[0]
            .CallAsync(HttpMethod.Post, $"/v1/customers/{holder.Customer}/merge", holder.Key, new { into });
        await Eventually.TrueAsync(
            async () =>
                (await WalletReplicas.WalletAsync(wallets.All[2], holder)).GetProperty("customer_id").GetString()
                == into,
            WalletBalanceLife / 2
        );
        Assert.Equal(700, await WalletReplicas.SumAsync(wallets.All[0], holder));

        await wallets.All[1].CallAsync(HttpMethod.Post, $"/v1/customers/{into}/erase", holder.Key, new { });
        await WalletReplicas.WalletAsync(wallets.All[1], holder with { Customer = into }, 404);
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await wallets
                    .All[2]
                    .SendAsync(HttpMethod.Get, $"/v1/customers/{into}/wallet", holder.Key);
                return (int)answer.StatusCode == 404;
            },
            WalletBalanceLife / 2
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Wallets_are_right_while_the_shared_cache_is_down_or_frozen(bool isFrozen)
    {
        var holder = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        try
        {
            (wallets.Store.Up, wallets.Store.Frozen) = (isFrozen, isFrozen);
            for (var n = 1; n <= 5; n++)
            {
                // Told on this replica alone, and read on it.
                await wallets.All[0].DeliverAsync(WalletReplicas.Ledger, holder.Balance(n * 10, n));
                Assert.Equal(n * 10, await WalletReplicas.SumAsync(wallets.All[0], holder));
            }
        }
        finally
        {
            (wallets.Store.Up, wallets.Store.Frozen) = (true, false);
        }
    }

    [Fact]
    public async Task Another_merchant_finds_no_wallet_whether_it_is_cached_or_not()
    {
        var holder = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        var stranger = await WalletReplicas.NewHolderAsync(wallets.All[0], wallets.Sidecar);
        var asStranger = holder with { Key = stranger.Key };

        await WalletReplicas.WalletAsync(wallets.All[0], asStranger, 404);
        await WalletReplicas.WalletAsync(wallets.All[0], holder);
        await WalletReplicas.WalletAsync(wallets.All[0], asStranger, 404);
    }

    [Fact]
    public async Task Over_gRPC_a_wallet_and_its_refusals_are_those_of_REST()
    {
        var replica = wallets.All[0];
        var holder = await WalletReplicas.NewHolderAsync(replica, wallets.Sidecar);
        await replica.DeliverAsync(WalletReplicas.Ledger, holder.Balance(4200, 1));
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{replica.AppPort}");
        var client = new WalletService.WalletServiceClient(channel);
        var sidecar = new Metadata { { "dapr-api-token", RunningService.AppToken } };

        var rest = await WalletReplicas.WalletAsync(replica, holder);
        var wallet = (
            await client.GetWalletAsync(
                new() { MerchantId = holder.Merchant.ToString(), CustomerId = holder.Customer },
                sidecar
            )
        ).Wallet;
        Assert.Equal(rest.GetProperty("id").GetString(), wallet.WalletId);
        Assert.Equal((4200, "EUR"), (wallet.Balances[0].Amount, wallet.Balances[0].Currency));
        Assert.Equal(
            (holder.Card.ToString(), "active", 4200),
            (wallet.GiftCards[0].GiftCardId, wallet.GiftCards[0].Status, wallet.GiftCards[0].Balance.Amount)
        );

        var stranger = MerchantId.New(TimeProvider.System).ToString();
        Assert.Equal("not_found", await CodeAsync(new() { MerchantId = stranger, CustomerId = holder.Customer }));
        Assert.Equal("invalid_request", await CodeAsync(new() { MerchantId = stranger, CustomerId = "cus_?" }));
        var untold = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.GetWalletAsync(new() { MerchantId = stranger, CustomerId = holder.Customer })
        );
        Assert.NotEqual(StatusCode.NotFound, untold.StatusCode);

        async Task<string?> CodeAsync(GetWalletRequest request) =>
            (
                await Assert.ThrowsAsync<RpcException>(async () => await client.GetWalletAsync(request, sidecar))
            ).Trailers.GetValue(GrpcFaults.CodeTrailer);
    }

    private static TimeSpan WalletBalanceLife => LocalPlus.Wallet.Balances.WalletReader.Balance.Life;

    private static async Task<string?> StatusAsync(RunningService replica, CachedHolder holder) =>
        (await WalletReplicas.WalletAsync(replica, holder))
            .GetProperty("gift_cards")[0]
            .GetProperty("status")
            .GetString();

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(wallets.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.True(await command.ExecuteNonQueryAsync() > 0);
    }
}
