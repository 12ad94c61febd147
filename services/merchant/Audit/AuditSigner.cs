using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// Signs how far a chain goes, each time that it grows, in the transaction in which it does: whoever can rewrite all of
/// the database has not the key, and finds what was signed in the hands of those who took the events or an export.
/// </summary>
internal sealed class AuditSigner(CheckpointKeys keys, IConfiguration configuration)
{
    private const string DefaultOrigin = "localplus.local/audit";

    /// <summary>What the names of all chains begin with.</summary>
    public string Origin { get; } = configuration["LP_AUDIT_ORIGIN"] ?? DefaultOrigin;

    public string Sign(Guid chain, AuditLog.Head head) => keys.Sign(OriginOf(chain), head.Size, head.Hash);

    /// <summary>The hash that a note says the chain had at this size; null unless it was signed here.</summary>
    public byte[]? SignedHash(Guid chain, long size, string note) =>
        Checkpoint.Parse(note) is { } checkpoint
        && checkpoint.Origin == OriginOf(chain)
        && checkpoint.Size == size
        && keys.HaveSigned(checkpoint)
            ? checkpoint.Root
            : null;

    public CheckpointKeyView View() => keys.View("audit_key", Origin);

    /// <summary>A chain's name: the merchant's id, zeroes for what concerns none.</summary>
    public string OriginOf(Guid chain) => $"{Origin}/{chain}";
}

/// <summary>The data of audit.checkpoint.signed. Key: the chain's name; sequence: its size, which only grows.</summary>
/// <param name="Hash">Of the last entry, in base64.</param>
/// <param name="Note">The signed text: all that a verifier needs; the rest repeats what it says.</param>
internal sealed record AuditCheckpointSigned(string Origin, long Size, byte[] Hash, string Note)
{
    public const string Topic = "merchant.checkpoints.v1";
    public const string Type = "audit.checkpoint.signed";
}
