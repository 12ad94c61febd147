using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// wallet.balance-updated.v1, this service's own: whoever keeps a copy of the wallet drops it. The replica that made
/// the change has told the others; this is for one that died before it could.
/// </summary>
internal static class OnBalanceUpdated
{
    internal sealed record Data(CustomerId CustomerId);

    public static Task HandleAsync(IReadOnlyList<EventEnvelope<Data>> events, DbSession db, IServiceProvider services)
    {
        var caches = services.GetRequiredService<Caches>();
        return Task.WhenAll(
            events
                .GroupBy(e => e.Data.CustomerId)
                .Select(wallet =>
                    caches.InvalidateAsync(WalletReader.Balance, wallet.Key.ToString(), wallet.Max(e => e.Sequence))
                )
        );
    }
}
