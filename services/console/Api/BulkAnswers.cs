namespace LocalPlus.Console.Api;

// What is done to many runs at once, as the pages show it.

public sealed record RunBulk(
    string Id,
    string Verb,
    string Filter,
    string State,
    int Runs,
    int Done,
    int Refused,
    int Failed,
    string CreatedBy,
    string? StartedBy,
    string? Reason,
    DateTimeOffset CreatedAt,
    DateTimeOffset StartBefore,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    /// <summary>How many of its runs it is through with.</summary>
    public int Settled => Done + Refused + Failed;

    /// <summary>There is something that a page may show anew.</summary>
    public bool IsMoving => State == "running";
}

public sealed record RunBulkItem(
    int Position,
    string RedemptionId,
    string MerchantId,
    Amount Amount,
    string? Foreseen,
    string State,
    string? Code,
    int Attempts,
    DateTimeOffset? SettledAt
);

public sealed record ForeseenRefusal(string Code, long Runs);

public sealed record RunBulkDetail(
    RunBulk Bulk,
    IReadOnlyList<Amount> Amounts,
    IReadOnlyList<ForeseenRefusal> Foreseen,
    IReadOnlyList<RunBulkItem> Samples
);
