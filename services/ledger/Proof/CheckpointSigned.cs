namespace LocalPlus.Ledger.Proof;

/// <summary>The data of ledger.checkpoint.signed. Key: the log's name; sequence: its size, which only grows.</summary>
/// <param name="Root">SHA-256, in base64.</param>
/// <param name="Note">The signed text: all that a verifier needs; the rest repeats what it says.</param>
internal sealed record CheckpointSigned(string Origin, long Size, byte[] Root, string Note, DateTimeOffset SignedAt)
{
    public const string Topic = "ledger.checkpoints.v1";
    public const string Type = "ledger.checkpoint.signed";
}
