using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>A batch's row.</summary>
internal sealed record BatchRow(
    JobId BatchId,
    MerchantId MerchantId,
    ProgramId ProgramId,
    string State,
    int Quantity,
    int Made,
    string? Reference,
    string? Metadata,
    string? LastError,
    DateTimeOffset CodesUntil,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? DeliveredAt
)
{
    public const string Columns = """
        SELECT b.batch_id, b.merchant_id, b.program_id, b.state, b.quantity, b.made, b.reference,
               b.metadata::text AS metadata, b.last_error, b.codes_until, b.version, b.created_at, b.finished_at,
               b.delivered_at
          FROM card_batches b
        """;

    public BatchView ToView() =>
        new(
            BatchId,
            ProgramId,
            State,
            Quantity,
            Made,
            Reference,
            Metadata is null ? null : JsonElement.Parse(Metadata),
            // Earlier releases kept the exception's text.
            LastError is null
                ? null
                : CommonFaults.InternalError.Code,
            State is "making" or "ready" ? CodesUntil : null,
            Version,
            CreatedAt,
            FinishedAt,
            DeliveredAt
        );
}

/// <summary>A batch as the API shows it: how far it is, and until when its codes may be fetched.</summary>
internal sealed record BatchView(
    JobId Id,
    ProgramId ProgramId,
    string State,
    int Quantity,
    int Made,
    string? Reference,
    JsonElement? Metadata,
    string? LastError,
    DateTimeOffset? CodesUntil,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? DeliveredAt
)
{
    public string Object { get; } = "gift_card_batch";
}
