using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>
/// A card with everything an operation on it is planned from, as of one moment; its version guards the
/// moment.
/// </summary>
internal sealed record CardFile(
    CardRow Card,
    ProgramRow Program,
    IReadOnlyList<LotRow> Lots,
    IReadOnlyDictionary<Guid, Account> Accounts,
    DateTimeOffset At
)
{
    public GiftCardId Id => new(Card.GiftCardId);

    public Currency Currency => Kernel.Currency.Parse(Card.Currency);

    public long Balance => CardValue.Of(Card, Lots, Accounts, At).Available;

    public long Held => CardValue.Of(Card, Lots, Accounts, At).Held;

    /// <summary>The lots whose value is good, in the order in which they are spent.</summary>
    public IEnumerable<LotRow> Good => CardValue.Good(Card, Lots, At);

    /// <summary>The lots whose time is over, but for which that is not booked yet.</summary>
    public IEnumerable<LotRow> Unbooked => CardValue.Dead(Card, Lots, At).Where(l => l.ExpiredAt is null);

    public long AvailableOf(LotRow lot) => Accounts[lot.AccountId].Available;

    /// <summary>Refuses unless the card is in one of the states; one whose time is over is expired.</summary>
    public CardFile Require(params string[] statuses) =>
        statuses.Contains(Card.StatusAt(At))
            ? this
            : throw new FaultException(Faults.GiftCardState, $"The gift card is {Card.StatusAt(At)}.");

    /// <summary>The amount in minor units; refuses another currency.</summary>
    public long Amount(Money amount) =>
        amount.Currency.Code == Card.Currency
            ? amount.MinorUnits
            : throw new FaultException(Faults.CurrencyMismatch, $"The gift card is in {Card.Currency}.");
}

/// <summary>
/// What an operation is recorded with. <paramref name="Other"/> is a second card that takes part; <paramref
/// name="Heir"/> a new card that the operation makes and its answer shows.
/// </summary>
internal sealed record CardDeed(
    string Kind,
    CardPlan Plan,
    long Amount = 0,
    string? Reference = null,
    string? Reason = null,
    CardFile? Other = null,
    GiftCardId? Heir = null
);

/// <summary>
/// What the operations on an existing card have in common: the key, the card's file, the plan, the
/// ledger.
/// </summary>
internal sealed class CardDesk(
    Database database,
    Intents intents,
    CardOperations operations,
    CardReader cards,
    HandOver handOver,
    TimeProvider time
)
{
    public async Task<IResult> RunAsync<TRequest>(
        HttpContext http,
        GiftCardId id,
        TRequest request,
        Func<CardFile, Task<CardDeed>> plan,
        CancellationToken cancel,
        Func<DbSession, Task>? also = null
    )
    {
        var key = RequestKey.Of(http, request);
        var answer = await intents.OnceAsync(
            key,
            http.Request.Path,
            intent => operations.FindAsync(intent, cancel),
            () => AcceptAsync(key, id, plan, also, cancel),
            operation => operations.DriveAsync(operation, CancellationToken.None),
            cancel
        );
        return await handOver.AddCodeAsync(answer, CancellationToken.None);
    }

    /// <summary>A merchant's card with its programme, lots and the ledger's balances; refuses with not_found.</summary>
    public async Task<CardFile> OpenAsync(MerchantId merchant, GiftCardId id, CancellationToken cancel)
    {
        var card = await cards.GetAsync(merchant, id, cancel);
        var program = await database.QuerySingleOrDefaultAsync<ProgramRow>(Sql.Program, new { card.ProgramId }, cancel);
        var lots = await cards.LotsAsync([card.GiftCardId], cancel);
        return new(
            card,
            program!,
            lots,
            await cards.AccountsAsync(merchant, lots.Select(l => l.AccountId), cancel),
            time.GetUtcNow()
        );
    }

    private async Task<CardOperationRow> AcceptAsync(
        RequestKey key,
        GiftCardId id,
        Func<CardFile, Task<CardDeed>> plan,
        Func<DbSession, Task>? also,
        CancellationToken cancel
    )
    {
        var file = await OpenAsync(key.Merchant, id, cancel);
        var deed = await plan(file);
        var operation = operations.New(
            key.Merchant,
            deed.Heir ?? id,
            deed.Kind,
            deed.Amount,
            file.Card.Currency,
            deed.Plan,
            key,
            deed.Reference,
            deed.Reason,
            deed.Heir is null ? deed.Other?.Id : id
        );
        await using var db = await database.BeginAsync(cancel);
        await intents.ClaimAsync(db, key, operation.OperationId);
        if (also is not null)
        {
            await also(db);
        }

        await operations.AcceptAsync(db, operation, deed.Other is { } other ? [file.Card, other.Card] : [file.Card]);
        await db.CommitAsync();
        return operation;
    }

    private static class Sql
    {
        public const string Program = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";
    }
}
