using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Cli.Proof;

/// <summary>
/// Checks an export of the audit (GET /v1/audit/export) line by line, however long it is: each hash follows from the
/// one before it and the entry's text, none is missing, and the last line's signed checkpoint says the same.
/// </summary>
internal static class AuditExport
{
    private const int HashBytes = 32;

    /// <summary>Whether a file begins as an export does.</summary>
    public static bool IsOne(string firstLine) =>
        firstLine.StartsWith("{\"object\":\"audit_entry\"", StringComparison.Ordinal)
        || firstLine.StartsWith("{\"object\":\"audit_head\"", StringComparison.Ordinal);

    public static IReadOnlyList<string> Check(IEnumerable<string> lines, PublicKeys keys)
    {
        try
        {
            return CheckAll(lines.Where(line => line.Length > 0), keys);
        }
        catch (Exception malformed)
            when (malformed is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ProofFailure($"a part is missing or not what it should be: {malformed.Message}");
        }
    }

    private static List<string> CheckAll(IEnumerable<string> lines, PublicKeys keys)
    {
        var (size, hash) = (0L, new byte[HashBytes]);
        JsonElement? head = null;
        foreach (var text in lines)
        {
            var line = JsonSerializer.Deserialize<JsonElement>(text);
            if (head is not null)
            {
                throw new ProofFailure($"something stands behind the head of {size} entries");
            }

            if (Text(line, "object") == "audit_head")
            {
                head = line;
                continue;
            }

            size++;
            if (line.GetProperty("position").GetInt64() != size)
            {
                throw new ProofFailure($"entry {size} is missing");
            }

            hash = SHA256.HashData([.. hash, .. Encoding.UTF8.GetBytes(Text(line, "entry"))]);
            if (!hash.AsSpan().SequenceEqual(line.GetProperty("hash").GetBytesFromBase64()))
            {
                throw new ProofFailure($"entry {size} does not have the hash that stands beside it: it was changed");
            }
        }

        return Signed(
            head ?? throw new ProofFailure("its last line, the head, is missing: it was cut off"),
            size,
            hash,
            keys
        );
    }

    private static List<string> Signed(JsonElement head, long size, byte[] hash, PublicKeys keys)
    {
        if (
            head.GetProperty("size").GetInt64() != size
            || !hash.AsSpan().SequenceEqual(head.GetProperty("hash").GetBytesFromBase64())
        )
        {
            throw new ProofFailure($"the head is not that of these {size} entries");
        }

        if (size == 0)
        {
            return ["chain: it is empty"];
        }

        var note = SignedNote.Open(Text(head, "note"), keys);
        return note.Size == size && note.Root.AsSpan().SequenceEqual(hash)
            ?
            [
                $"chain: {size} entries, each linked to the one before it",
                $"signature: {note.Origin}, head {Convert.ToBase64String(hash)}",
            ]
            : throw new ProofFailure($"what was signed is another head, of {note.Size} entries");
    }

    private static string Text(JsonElement value, string name) =>
        value.GetProperty(name).GetString() ?? throw new ProofFailure($"{name} is missing");
}
