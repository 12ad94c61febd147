using System.Text.Json;
using Dapper;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>A redemption's row.</summary>
/// <param name="Decided">Null: nobody has decided yet.</param>
/// <param name="Refused">Null: it was not refused.</param>
/// <param name="Points">Null: no member is among its sources.</param>
internal sealed record RedemptionRow(
    OrderPart Order,
    BooksPart Books,
    ProgressPart Progress,
    DecidedPart? Decided,
    RefusedPart? Refused,
    PointsPart? Points = null
) : IRowOfParts<RedemptionRow>
{
    public const string Columns = $"""
        SELECT r.redemption_id, r.merchant_id, r.mode, r.partial, r.reference, r.currency, r.requested, r.location_id,
               r.terminal_id, r.metadata::text AS metadata, r.idempotency_key, r.created_at,
               r.books_merchant_id, r.payable_account_id, r.commission_account_id, r.hold_id, r.transaction_id,
               r.state, r.approved, r.captured, r.refunded, r.hold_expires_at, r.needs_attention, r.run_generation,
               r.skip_notify, r.version, r.updated_at,
               r.decision, r.decision_amount, r.decided_by,
               r.fault_code, r.fault_detail, r.fault_available,
               {PointsPart.Columns}
          FROM redemptions r
        """;

    public static string SplitOn => "books_merchant_id,state,decision,fault_code,member_id";

    public RedemptionId Id => Order.RedemptionId;

    public EnumText<RedemptionState> State => Progress.State;

    /// <summary>An answer and no run; one that nobody expected is shown to operators all the same.</summary>
    public bool IsRefusal => State == RedemptionState.Refused && Refused?.FaultCode != Faults.OperationFailed.Code;

    public bool IsImmediate => Order.Mode == Mode.Immediate;

    /// <summary>It is spent where the card was issued: nobody owes anybody.</summary>
    public bool IsAtIssuer => Books.BooksMerchantId == Order.MerchantId;

    public Standing Standing =>
        new(
            State,
            Decided?.Decision.Value,
            Decided?.DecisionAmount,
            Progress.Approved,
            Progress.Captured,
            Progress.HoldExpiresAt
        );

    public static Task<IEnumerable<RedemptionRow>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        connection.QueryAsync<
            OrderPart,
            BooksPart,
            ProgressPart,
            DecidedPart?,
            RefusedPart?,
            PointsPart?,
            RedemptionRow
        >(
            command,
            (order, books, progress, decided, refused, points) => new(order, books, progress, decided, refused, points),
            SplitOn
        );

    /// <summary>The refusal of a redemption that was refused, as often as it is asked for.</summary>
    public FaultException Refusal() =>
        new(Faults.FromLedger(Refused!.FaultCode)!, Refused.FaultDetail!)
        {
            Extensions = Refused.FaultAvailable is { } available
                ? new Dictionary<string, object?>
                {
                    ["available"] = new Money(available, Currency.Parse(Order.Currency)),
                }
                : null,
        };
}

/// <summary>What was asked for, which never changes.</summary>
internal sealed record OrderPart(
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    EnumText<Mode> Mode,
    EnumText<Partial> Partial,
    string? Reference,
    string Currency,
    long Requested,
    LocationId? LocationId,
    TerminalId? TerminalId,
    string? Metadata,
    string? IdempotencyKey,
    DateTimeOffset CreatedAt
);

/// <summary>Where it is in the ledger: whose books, which accounts, and what the ledger made of it.</summary>
internal sealed record BooksPart(
    MerchantId BooksMerchantId,
    AccountId PayableAccountId,
    AccountId? CommissionAccountId,
    HoldId? HoldId,
    TransactionId? TransactionId
);

/// <summary>How far it is. The end of a hold is known before the hold is placed.</summary>
internal sealed record ProgressPart(
    EnumText<RedemptionState> State,
    long Approved,
    long Captured,
    long Refunded,
    DateTimeOffset? HoldExpiresAt,
    bool NeedsAttention,
    int RunGeneration,
    bool SkipNotify,
    long Version,
    DateTimeOffset UpdatedAt
)
{
    /// <summary>The version that is about to be written.</summary>
    public ProgressPart Next(DateTimeOffset at) => this with { Version = Version + 1, UpdatedAt = at };
}

/// <summary>What was decided about a hold, and by whom.</summary>
internal sealed record DecidedPart(EnumText<Decision> Decision, long? DecisionAmount, string? DecidedBy);

/// <summary>Why there is no redemption, as it was answered.</summary>
internal sealed record RefusedPart(string FaultCode, string? FaultDetail, long? FaultAvailable);

/// <summary>What one value lot gives to a redemption.</summary>
internal sealed record LegRow(
    RedemptionId RedemptionId,
    int Position,
    GiftCardId GiftCardId,
    string Last4,
    LotId LotId,
    AccountId AccountId,
    long MaxAmount,
    long Held,
    long Captured,
    long Refunded,
    int CommissionBasisPoints,
    long? AvailableAfter,
    ProgramId? ProgramId
)
{
    public const string Columns = """
        SELECT g.redemption_id, g.position, g.gift_card_id, g.last4, g.lot_id, g.account_id, g.max_amount, g.held,
               g.captured, g.refunded, g.commission_basis_points, g.available_after, g.program_id
          FROM redemption_legs g
        """;
}

/// <summary>One card's part of a redemption, or that of a member's points.</summary>
/// <param name="Points">Held, or spent and not given back.</param>
internal sealed record SourceView(
    GiftCardId? GiftCardId,
    string? Last4,
    Money Held,
    Money Captured,
    Money Refunded,
    Money? BalanceAfter,
    MemberId? MemberId = null,
    long? Points = null
);

/// <summary>How far the run behind a redemption is.</summary>
internal sealed record RunView(string Status)
{
    /// <summary>To a merchant a run is running until it is over; the finer states are the operators'.</summary>
    public static RunView Of(RunState? state) =>
        new(
            state switch
            {
                null => "none",
                RunState.Pending or RunState.Started or RunState.Waiting => "running",
                { } over => Wire.Name(over),
            }
        );
}

/// <summary>A redemption as the API shows it.</summary>
internal sealed record RedemptionView(
    RedemptionId Id,
    string State,
    string Mode,
    string? Reference,
    Money Requested,
    Money Approved,
    Money RemainingDue,
    Money Captured,
    Money Refunded,
    Money? Commission,
    IReadOnlyList<SourceView> Sources,
    LocationId? LocationId,
    TerminalId? TerminalId,
    DateTimeOffset? HoldExpiresAt,
    HoldId? HoldId,
    TransactionId? TransactionId,
    bool? NeedsAttention,
    RunView Run,
    JsonElement? Metadata,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt
)
{
    public string Object { get; } = "redemption";

    public static RedemptionView Of(RedemptionRow row, IEnumerable<LegRow> all, RunState? run)
    {
        var legs = all.ToList();
        var (order, books, progress, _, _, _) = row;
        var currency = Currency.Parse(order.Currency);
        var isHeld = row.State.Value is RedemptionState.Held or RedemptionState.Confirming or RedemptionState.Releasing;
        return new(
            row.Id,
            row.State.ToString(),
            order.Mode.ToString(),
            order.Reference,
            new(order.Requested, currency),
            new(progress.Approved, currency),
            new(order.Requested - progress.Approved, currency),
            new(progress.Captured, currency),
            new(progress.Refunded, currency),
            row.IsAtIssuer ? null : new Money(Redemptions.Commission.Left(legs, isHeld), currency),
            SourcesOf(row, legs, currency, isHeld),
            order.LocationId,
            order.TerminalId,
            isHeld ? progress.HoldExpiresAt : null,
            books.HoldId,
            books.TransactionId,
            progress.NeedsAttention ? true : null,
            RunView.Of(run),
            order.Metadata is null ? null : JsonElement.Parse(order.Metadata),
            progress.Version,
            order.CreatedAt,
            progress.UpdatedAt
        );
    }

    private static List<SourceView> SourcesOf(
        RedemptionRow row,
        IReadOnlyList<LegRow> legs,
        Currency currency,
        bool isHeld
    )
    {
        List<SourceView> views = [.. legs.GroupBy(l => l.GiftCardId).Select(g => Source(g, currency, isHeld))];
        if (row.Points is { } points)
        {
            var place = legs.Take(points.PointsPosition).Select(l => l.GiftCardId).Distinct().Count();
            views.Insert(
                place,
                new(
                    null,
                    null,
                    new(isHeld ? points.PointsHeld : 0, currency),
                    new(points.PointsCaptured, currency),
                    new(points.PointsRefunded, currency),
                    null,
                    points.MemberId,
                    isHeld ? points.PointsOf(points.PointsHeld) : points.Spent
                )
            );
        }

        return views;
    }

    private static SourceView Source(IGrouping<GiftCardId, LegRow> card, Currency currency, bool isHeld)
    {
        var known = card.All(l => l.AvailableAfter is not null);
        return new(
            card.Key,
            card.First().Last4,
            new(isHeld ? card.Sum(l => l.Held) : 0, currency),
            new(card.Sum(l => l.Captured), currency),
            new(card.Sum(l => l.Refunded), currency),
            known ? new Money(card.Sum(l => l.AvailableAfter!.Value), currency) : null
        );
    }
}
