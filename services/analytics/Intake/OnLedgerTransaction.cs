using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// ledger.transactions.v1: how many transactions the ledger booked, as a cross-check of the business facts. Points are not
/// money and are not counted.
/// </summary>
internal static class OnLedgerTransaction
{
    internal sealed record Data(TransactionId TransactionId, string Asset);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        if (Currency.TryParse(e.Data.Asset, out var currency))
        {
            await new Fact(FactKinds.Posted, e.Data.TransactionId.ToString(), 0, currency.Code).AddAsync(e, db);
        }
    }
}
