using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Terminals;

/// <summary>A till at one of a merchant's places. A blocked one pays nothing any more.</summary>
internal sealed record TerminalView(
    TerminalId Id,
    string Object,
    LocationId LocationId,
    string Name,
    string? Reference,
    string Status,
    string? BlockReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset? BlockedAt
);

/// <summary>A row of terminals.</summary>
internal sealed record TerminalRow(
    TerminalId TerminalId,
    LocationId LocationId,
    string Name,
    string? Reference,
    DateTimeOffset? BlockedAt,
    string? BlockReason,
    DateTimeOffset CreatedAt
)
{
    public const string Fields =
        "t.terminal_id, t.location_id, t.name, t.reference, t.blocked_at, t.block_reason, t.created_at";

    public TerminalView ToView() =>
        new(
            TerminalId,
            "terminal",
            LocationId,
            Name,
            Reference,
            BlockedAt is null ? "active" : "blocked",
            BlockReason,
            CreatedAt,
            BlockedAt
        );
}
