using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Hosting;

/// <summary>
/// What a log committed itself to: its name, its size and its root, signed (C2SP tlog-checkpoint in a C2SP signed
/// note, ECDSA: type 0x02).
/// </summary>
/// <param name="Origin">The log's name: never two logs of one name.</param>
/// <param name="Size">Its entries; at least 0.</param>
/// <param name="Root">32 bytes from which all entries follow: of a tree its root, of a chain its last hash.</param>
/// <param name="Note">The whole text with its signatures: all that a verifier needs.</param>
public sealed record Checkpoint(string Origin, long Size, byte[] Root, string Note)
{
    private const int KeyIdBytes = 4;
    private const int TextLines = 3;

    /// <summary>Reads a note: three lines of text, an empty one, signatures. Null when it is none, or torn.</summary>
    public static Checkpoint? Parse(string note)
    {
        var lines = note.Split('\n');
        Span<byte> root = stackalloc byte[SHA256.HashSizeInBytes];
        return
            lines.Length > TextLines + 2
            && lines[0].Length > 0
            && lines[TextLines].Length == 0
            && lines[^1].Length == 0
            && long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && Convert.TryFromBase64String(lines[2], root, out var written)
            && written == SHA256.HashSizeInBytes
            && Array.TrueForAll(lines[(TextLines + 1)..^1], line => line.StartsWith("— ", StringComparison.Ordinal))
            ? new Checkpoint(lines[0], size, root.ToArray(), note)
            : null;
    }

    /// <summary>
    /// Whether one of the public keys of a PEM text signed it: today's and, after a rotation, those of before.
    /// </summary>
    public bool IsSignedByOneOf(string pem)
    {
        using var key = ECDsa.Create();
        for (var rest = pem.AsSpan(); PemEncoding.TryFind(rest, out var field); rest = rest[field.Location.End..])
        {
            key.ImportFromPem(rest[field.Location]);
            if (IsSignedBy(key))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>By which a note says which key signed it.</summary>
    internal static ReadOnlySpan<byte> KeyIdOf(ECDsa key) =>
        SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, KeyIdBytes);

    /// <summary>Whether one of the signatures was made by the key; those of other keys do not count.</summary>
    public bool IsSignedBy(ECDsa key)
    {
        var end = Note.LastIndexOf("\n\n", StringComparison.Ordinal) + 1;
        var text = Encoding.UTF8.GetBytes(Note[..end]);
        var keyId = KeyIdOf(key);
        foreach (var line in Note[(end + 1)..].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var bytes = new byte[line.Length];
            if (
                line.Split(' ') is [_, var name, var encoded]
                && name == Origin
                && Convert.TryFromBase64String(encoded, bytes, out var length)
                && length > KeyIdBytes
                && bytes.AsSpan(0, KeyIdBytes).SequenceEqual(keyId)
                && key.VerifyData(
                    text,
                    bytes.AsSpan(KeyIdBytes, length - KeyIdBytes),
                    HashAlgorithmName.SHA256,
                    DSASignatureFormat.Rfc3279DerSequence
                )
            )
            {
                return true;
            }
        }

        return false;
    }
}
