using LocalPlus.Giftcard.Cards;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>An account to open for a card.</summary>
internal sealed record PlannedAccount(AccountId AccountId, string Name);

/// <summary>An amount to move between two accounts.</summary>
internal sealed record PlannedPosting(AccountId Source, AccountId Destination, long Amount);

/// <summary>
/// An account of a card to empty into another, of another card or of the books, whatever is on it when the
/// ledger gets there.
/// </summary>
internal sealed record PlannedDrain(
    GiftCardId GiftCardId,
    AccountId Source,
    AccountId Destination,
    GiftCardId? ToCardId = null
);

/// <summary>What was on an account when it was drained.</summary>
internal sealed record DrainedAccount(AccountId Source, long Amount);

/// <summary>A value lot to add.</summary>
internal sealed record PlannedLot(
    LotId LotId,
    GiftCardId GiftCardId,
    string Kind,
    AccountId AccountId,
    DateTimeOffset? ExpiresAt
);

/// <summary>
/// Everything an operation on a card does, written down before the ledger is asked, so that any process can finish it.
/// </summary>
internal sealed record CardPlan(
    IReadOnlyList<PlannedAccount> Open,
    IReadOnlyList<PlannedPosting> Postings,
    IReadOnlyList<PlannedDrain> Drains,
    IReadOnlyList<PlannedLot> Lots,
    IReadOnlyList<CardChange> Cards,
    int AnswerStatus = StatusCodes.Status200OK,
    IReadOnlyList<LotId>? ExpiredLots = null,
    PointOfSale? Till = null
)
{
    public static CardPlan Of(CardChange card, int answerStatus = StatusCodes.Status200OK) =>
        new([], [], [], [], [card], answerStatus);

    /// <summary>
    /// What drains gave a card less what they took: an expiry's into breakage, any other's between cards.
    /// </summary>
    public static long Moved(CardChange card, IReadOnlyList<(PlannedDrain Drain, long Amount)> drained) =>
        drained.Sum(d =>
            card.Activity == "expire"
                ? d.Drain.GiftCardId == card.GiftCardId && d.Drain.ToCardId is null
                    ? -d.Amount
                    : 0
                : d.Drain.ToCardId == d.Drain.GiftCardId
                    ? 0
                    : d.Drain.ToCardId == card.GiftCardId
                        ? d.Amount
                        : d.Drain.GiftCardId == card.GiftCardId && d.Drain.ToCardId is not null
                            ? -d.Amount
                            : 0
        );

    /// <summary>
    /// The plan with the ids of accounts that the ledger had already, under the names that were to be
    /// opened.
    /// </summary>
    public CardPlan With(IReadOnlyDictionary<AccountId, AccountId> actual)
    {
        AccountId Of(AccountId planned) => actual.GetValueOrDefault(planned, planned);
        return this with
        {
            Postings = [.. Postings.Select(p => p with { Source = Of(p.Source), Destination = Of(p.Destination) })],
            Drains = [.. Drains.Select(d => d with { Source = Of(d.Source), Destination = Of(d.Destination) })],
            Lots = [.. Lots.Select(l => l with { AccountId = Of(l.AccountId) })],
        };
    }

    public string ToJson() => StoredJson.Write(this);

    public static CardPlan FromJson(string json) => StoredJson.Read<CardPlan>(json);
}

/// <summary>An operation's row.</summary>
internal sealed record CardOperationRow(
    Guid OperationId,
    MerchantId MerchantId,
    GiftCardId GiftCardId,
    GiftCardId? OtherCardId,
    string Kind,
    string State,
    long Amount,
    string Currency,
    string Plan,
    string? Reference,
    string? Reason,
    string? IdempotencyKey,
    string? FaultCode,
    DateTimeOffset CreatedAt
)
{
    public const string Columns = """
        SELECT o.operation_id, o.merchant_id, o.gift_card_id, o.other_card_id, o.kind, o.state, o.amount, o.currency,
               o.plan::text AS plan, o.reference, o.reason, o.idempotency_key, o.fault_code, o.created_at
          FROM card_operations o
        """;
}
