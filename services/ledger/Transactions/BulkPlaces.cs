using System.Collections.Concurrent;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// How many bulks of a merchant are under way, dry runs included: <see cref="LedgerLimits.BulksPerMerchant"/> at most,
/// more are refused with quota_exceeded before any of their items is looked at.
/// </summary>
internal sealed class BulkPlaces
{
    private readonly ConcurrentDictionary<MerchantId, int> underWay = new();

    /// <summary>A place, until it is disposed of.</summary>
    public IDisposable Take(MerchantId merchant)
    {
        if (underWay.AddOrUpdate(merchant, 1, (_, n) => n + 1) > LedgerLimits.BulksPerMerchant)
        {
            Leave(merchant);
            throw new FaultException(
                CommonFaults.QuotaExceeded,
                $"{LedgerLimits.BulksPerMerchant} bulks are under way; a merchant may have no more at once."
            );
        }

        return new Place(this, merchant);
    }

    private void Leave(MerchantId merchant)
    {
        // Removed only as zero: who came meanwhile is counted.
        if (underWay.AddOrUpdate(merchant, 0, (_, n) => n - 1) == 0)
        {
            underWay.TryRemove(KeyValuePair.Create(merchant, 0));
        }
    }

    private sealed class Place(BulkPlaces places, MerchantId merchant) : IDisposable
    {
        public void Dispose() => places.Leave(merchant);
    }
}
