using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Merchant.Requests;

/// <summary>A request of the merchant's, and what became of it.</summary>
/// <param name="RequestId">
/// As in a refusal's problem document. It is the id of the caller's trace, where the caller sends one: several requests
/// of one trace share it.
/// </param>
/// <param name="Service">The one that answered.</param>
/// <param name="Credential">The id of the API key or of the person.</param>
/// <param name="Route">As this description has it.</param>
/// <param name="Path">Masked: what is neither of the route nor an id is ***; without the query.</param>
/// <param name="Status">As it was answered; 499: the caller had gone.</param>
/// <param name="Code">Of the problem that was answered.</param>
/// <param name="DurationMs">From the first byte that came to the last that was given, in milliseconds.</param>
/// <param name="Bytes">Of the request's body, as the request said.</param>
/// <param name="Address">The network that it came from.</param>
internal sealed record RequestView(
    string RequestId,
    string Object,
    string Service,
    string Credential,
    string Method,
    string Route,
    string Path,
    int Status,
    string? Code,
    long DurationMs,
    long? Bytes,
    string? Address,
    DateTimeOffset OccurredAt
);

/// <summary>A row of request_log.</summary>
internal sealed record RequestRow(
    EventId EntryId,
    string RequestId,
    string Service,
    string Credential,
    string Method,
    string Route,
    string Path,
    int Status,
    string? Code,
    long DurationMs,
    long? Bytes,
    string? Address,
    DateTimeOffset OccurredAt
)
{
    public const string Columns = """
        SELECT entry_id, request_id, service, credential, method, route, path, status, code, duration_ms, bytes,
               address, occurred_at
          FROM request_log
        """;

    public RequestView ToView() =>
        new(
            RequestId,
            "request",
            Service,
            Credential,
            Method,
            Route,
            Path,
            Status,
            Code,
            DurationMs,
            Bytes,
            Address,
            OccurredAt
        );
}
