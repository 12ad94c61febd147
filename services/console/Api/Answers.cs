using System.Globalization;
using System.Text.Json.Serialization;

namespace LocalPlus.Console.Api;

// What pages show of the platform's answers; everything else in them is passed over.

/// <summary>Money as the API writes it: minor units and a code.</summary>
public sealed record Amount([property: JsonPropertyName("amount")] long MinorUnits, string Currency)
{
    public override string ToString()
    {
        var exponent = LocalPlus.Kernel.Currency.TryParse(Currency, out var currency) ? currency.Exponent : 0;
        var digits = Math.Abs(MinorUnits).ToString($"D{exponent + 1}", CultureInfo.InvariantCulture);
        var text = exponent == 0 ? digits : $"{digits[..^exponent]}.{digits[^exponent..]}";
        return $"{(MinorUnits < 0 ? "-" : "")}{text} {Currency}";
    }
}

public sealed record Listed<T>(IReadOnlyList<T> Data, string? NextCursor, bool HasMore);

public sealed record Run(
    string RedemptionId,
    string MerchantId,
    string? Reference,
    string Health,
    string RedemptionState,
    string Mode,
    Amount Requested,
    Amount Approved,
    Amount Captured,
    Amount Refunded,
    string? Decision,
    DateTimeOffset? HoldExpiresAt,
    string? RunState,
    string? Step,
    int Attempts,
    string? LastError
)
{
    public string? InstanceId { get; init; }

    public DateTimeOffset? DueAt { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }
}

public sealed record RunSource(
    string? GiftCardId,
    string? Last4,
    Amount Held,
    Amount Captured,
    Amount Refunded,
    string? MemberId = null,
    long? Points = null
);

public sealed record RunStep(
    int Generation,
    string Step,
    string State,
    int Attempts,
    string? LastError,
    DateTimeOffset FirstStartedAt,
    DateTimeOffset LastStartedAt,
    DateTimeOffset? FinishedAt
);

public sealed record TimelineEntry(string Kind, string Actor, DateTimeOffset OccurredAt);

public sealed record RunAction(string Verb, string Subject, string Role, string Reason, DateTimeOffset OccurredAt);

public sealed record LedgerLeg(string AccountId, string? GiftCardId, Amount Held, Amount Captured);

public sealed record LedgerSide(
    string? State,
    string? HoldId,
    string? TransactionId,
    IReadOnlyList<LedgerLeg> Legs,
    string? Error
);

public sealed record EngineEvent(int EventId, string EventType, DateTimeOffset Timestamp);

public sealed record EngineSide(string? Status, IReadOnlyList<EngineEvent> History, string? Error);

public sealed record RunDetail(
    Run Run,
    IReadOnlyList<RunSource> Sources,
    IReadOnlyList<RunStep> Steps,
    IReadOnlyList<TimelineEntry> Timeline,
    IReadOnlyList<RunAction> Actions,
    LedgerSide Ledger,
    EngineSide Engine
);

public sealed record RunSum(string Health, int Count, Amount Requested, DateTimeOffset OldestAt);

public sealed record RunSums(IReadOnlyList<RunSum> Data, bool IsComplete);

public sealed record EventState(
    long OutboxWaiting,
    DateTimeOffset? OutboxOldestAt,
    long DeadLetters,
    DateTimeOffset? DeadLettersOldestAt,
    string? OutboxError = null,
    DateTimeOffset? OutboxFailingSince = null
);

public sealed record DeadLetter(
    long Id,
    string Topic,
    string EventId,
    string? Reason,
    string State,
    int Refusals,
    int Bytes,
    DateTimeOffset ReceivedAt,
    DateTimeOffset? DecidedAt,
    string? DecidedBy,
    string? DecisionReason,
    string? Text
);

/// <summary>Letters that would be, or were, put aside, and some of them.</summary>
public sealed record DeadLettersAside(int Matched, int PutAside, IReadOnlyList<DeadLetter> Samples);

public sealed record Finding(
    long FindingId,
    string Kind,
    string Subject,
    long Expected,
    long Actual,
    DateTimeOffset FirstSeenAt,
    DateTimeOffset LastSeenAt,
    DateTimeOffset? AcknowledgedAt,
    string? AcknowledgedBy,
    string? Reason
);

public sealed record Findings(IReadOnlyList<Finding> Data);

public sealed record AttentionItem(
    string Kind,
    string? Id,
    string MerchantId,
    int Attempts,
    string? Error,
    DateTimeOffset? NextTryAt,
    DateTimeOffset CreatedAt
)
{
    /// <summary>Of movements of points, in place of the id.</summary>
    public string? MovementId { get; init; }
}

public sealed record Attention(IReadOnlyList<AttentionItem> Data);
