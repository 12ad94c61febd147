using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// ledger.transactions.v1: how many transactions the ledger booked, as a cross-check of the business facts. Points are
/// not money and are not counted.
/// </summary>
internal static class OnLedgerTransaction
{
    internal sealed record Data(TransactionId TransactionId, string Asset);

    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    ) => Fact.AddAsync(db, [.. events.Select(ToFact).OfType<Fact>()]);

    private static Fact? ToFact(EventEnvelope<Data> e) =>
        Currency.TryParse(e.Data.Asset, out var currency)
            ? Fact.Of(e, FactKinds.Posted, e.Data.TransactionId.ToString(), 0, currency.Code)
            : null;
}
