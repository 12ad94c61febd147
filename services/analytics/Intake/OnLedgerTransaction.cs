using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Intake;

/// <summary>
/// ledger.transactions.v1: how many transactions the ledger booked, as a cross-check of the business facts, and what
/// its entries changed on cards. Points are not money and are not counted.
/// </summary>
internal static class OnLedgerTransaction
{
    internal sealed record Data(
        TransactionId TransactionId,
        string Asset,
        EntryId? EntryId = null,
        string? AccountName = null,
        string? Kind = null,
        long Amount = 0
    );

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        await Fact.AddAsync(db, [.. events.Select(ToFact).OfType<Fact>()]);
        await ValueEntry.AddAsync(db, [.. events.Select(ToEntry).OfType<ValueEntry>()]);
    }

    private static Fact? ToFact(EventEnvelope<Data> e) =>
        Currency.TryParse(e.Data.Asset, out var currency)
            ? Fact.Of(e, FactKinds.Posted, e.Data.TransactionId.ToString(), 0, currency.Code)
            : null;

    private static ValueEntry? ToEntry(EventEnvelope<Data> e) =>
        e is { MerchantId: { } merchant, Data: { EntryId: { } entry, Kind: { } kind, AccountName: { } account } }
        && account.StartsWith(ValueEntry.AccountPrefix, StringComparison.Ordinal)
        && Currency.TryParse(e.Data.Asset, out var currency)
            ? new(entry, merchant, e.OccurredAt, currency.Code, kind, account.Split(':')[1], e.Data.Amount)
            : null;
}
