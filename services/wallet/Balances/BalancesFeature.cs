using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// Holders' wallets: what the ledger's and the cards' events make of them, and their copies in caches.
/// </summary>
internal static class BalancesFeature
{
    public static void AddBalances(this IServiceCollection services)
    {
        services.AddCaches();
        services.AddSingleton<WalletReader>();
        // Or a POST to any path of two words that says no type is taken for a call of a service that there is not.
        services.AddGrpc(grpc => grpc.IgnoreUnknownServices = true);
    }

    public static IEndpointRouteBuilder MapBalanceEvents(this IEndpointRouteBuilder events) =>
        events
            .MapEvents<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync)
            .MapEvents<OnLedgerTransaction.Data>(
                "ledger.transactions.v1",
                OnLedgerTransaction.HandleAsync,
                Repeats.AreHarmless
            )
            .MapEvents<OnAccountHeld.Data>("ledger.holds.v1", OnAccountHeld.HandleAsync, Repeats.AreHarmless)
            .MapEvents<OnMemberEvent.Data>("wallet.members.v1", OnMemberEvent.HandleAsync)
            .MapEvents<OnBalanceUpdated.Data>(
                "wallet.balance-updated.v1",
                OnBalanceUpdated.HandleAsync,
                Repeats.AreHarmless
            );
}
