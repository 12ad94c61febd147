namespace LocalPlus.Console.Api;

/// <summary>What the page of requests shows of the platform's answers.</summary>
public sealed record LoggedRequestView(
    string RequestId,
    string Service,
    string Credential,
    string Method,
    string Path,
    int Status,
    string? Code,
    long DurationMs,
    string? Address,
    DateTimeOffset OccurredAt
);
