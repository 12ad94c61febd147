using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Cli.Proof;

/// <summary>A checkpoint (C2SP tlog-checkpoint) whose signature (C2SP signed-note, ECDSA) was checked.</summary>
internal sealed record SignedNote(string Origin, long Size, byte[] Root)
{
    private const int KeyIdBytes = 4;
    private const int HashBytes = 32;

    /// <summary>Reads a note; refused unless one of the keys signed exactly this text.</summary>
    public static SignedNote Open(string note, PublicKeys keys)
    {
        var end = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
        {
            throw new ProofFailure("the checkpoint is not a signed note");
        }

        var text = note[..(end + 1)];
        var lines = text.Split('\n');
        if (
            lines.Length < 4
            || !long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || Decode(lines[2]) is not { Length: HashBytes } root
        )
        {
            throw new ProofFailure("the checkpoint does not say name, size and root");
        }

        var signatures = note[(end + 2)..]
            .Split('\n')
            .Select(line => line.Split(' '))
            .Where(words => words is ["—", _, _] && words[1] == lines[0])
            .Select(words => Decode(words[2]))
            .Where(bytes => bytes is { Length: > KeyIdBytes })
            .Select(bytes => (Key: keys.Find(bytes.AsSpan(0, KeyIdBytes)), Signature: bytes![KeyIdBytes..]))
            .Where(signature => signature.Key is not null)
            .ToList();
        if (signatures.Count == 0)
        {
            throw new ProofFailure($"the checkpoint of {lines[0]} is not signed by this key, but perhaps by another");
        }

        return signatures.TrueForAll(signature =>
            signature.Key!.VerifyData(
                Encoding.UTF8.GetBytes(text),
                signature.Signature,
                HashAlgorithmName.SHA256,
                DSASignatureFormat.Rfc3279DerSequence
            )
        )
            ? new SignedNote(lines[0], size, root)
            : throw new ProofFailure("the checkpoint's signature is wrong: somebody changed its text");
    }

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }
}
