namespace LocalPlus.Console.Api;

// What the shop's pages and the till show of the platform's answers; everything else in them is passed over.

public sealed record MerchantView(
    string Id,
    string Name,
    string Mode,
    string Country,
    string Currency,
    string Status,
    string? StatusReason,
    DateTimeOffset CreatedAt
);

public sealed record CardProgram(
    string Id,
    string Name,
    string Currency,
    string Status,
    int? ValidityDays,
    bool Reloadable,
    string Pin,
    DateTimeOffset CreatedAt
);

/// <param name="Code">Only in the answer to the sale or the replacement.</param>
public sealed record GiftCard(
    string Id,
    string ProgramId,
    string Status,
    string Last4,
    string Currency,
    Amount? Balance,
    Amount? Held,
    DateTimeOffset? ExpiresAt,
    string? ReplacedBy,
    string? Reference,
    DateTimeOffset CreatedAt,
    string? Code,
    string? Pin
)
{
    public DateTimeOffset? PinLockedUntil { get; init; }
}

public sealed record CardActivity(
    string Id,
    string Type,
    Amount Amount,
    Amount BalanceAfter,
    string? RedemptionId,
    string? Reason,
    DateTimeOffset OccurredAt
);

public sealed record RedemptionSource(
    string GiftCardId,
    string Last4,
    Amount Held,
    Amount Captured,
    Amount Refunded,
    Amount? BalanceAfter
);

public sealed record Redemption(
    string Id,
    string State,
    string Mode,
    string? Reference,
    Amount Requested,
    Amount Approved,
    Amount RemainingDue,
    Amount Captured,
    Amount Refunded,
    IReadOnlyList<RedemptionSource> Sources,
    DateTimeOffset? HoldExpiresAt,
    DateTimeOffset CreatedAt
);

/// <param name="Key">Only in the answer that made it.</param>
public sealed record ApiKey(
    string Id,
    string Name,
    string? Key,
    string Status,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> AllowedNetworks,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    string? LastUsedOn,
    string? LastUsedFrom
);

public sealed record TeamMember(
    string Id,
    string Name,
    string Role,
    string Subject,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RemovedAt
);

public sealed record Place(string Id, string Name, string? Reference, string? TimeZone, DateTimeOffset CreatedAt);

public sealed record Terminal(string Id, string LocationId, string Name, string Status, string? BlockReason);

/// <param name="Secret">Only in the answer that made it.</param>
public sealed record WebhookEndpoint(
    string Id,
    string Url,
    string? Description,
    IReadOnlyList<string> EventTypes,
    string Status,
    string? DisabledReason,
    DateTimeOffset? FailingSince,
    string? Secret,
    DateTimeOffset CreatedAt
);

public sealed record WebhookDelivery(
    string EventId,
    string EventType,
    string Status,
    int Attempts,
    int? LastStatus,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset? NextAttemptAt
);

public sealed record LoyaltyProgram(string Id, string Name, string Currency, string State);

public sealed record Member(
    string Id,
    string ProgramId,
    string CardNumber,
    string State,
    string? Tier,
    long Points,
    long Pending,
    long Owed,
    DateTimeOffset CreatedAt
);

public sealed record MemberBalance(long Posted, long Held, long Available, long Pending, long Owed, Amount Value);

public sealed record MemberMovement(
    string Id,
    string Kind,
    long Points,
    string? PurchaseReference,
    string? Reason,
    DateTimeOffset RecordedAt
);

public sealed record DayTotal(long Count, Amount Amount);

public sealed record DayFigures(string Date, DayTotal Sold, DayTotal Loaded, DayTotal Redeemed, DayTotal Refunded);

public sealed record DailyFigures(IReadOnlyList<DayFigures> Data);

public sealed record LiabilityLine(string Name, Amount Outstanding, long CardsWithValue);

public sealed record LiabilityFigures(IReadOnlyList<LiabilityLine> Data);
