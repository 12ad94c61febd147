using System.Security.Cryptography;

namespace LocalPlus.Cli.Proof;

/// <summary>
/// The public keys of who signs: the one of today and, after a rotation, those of before, for what they signed.
/// </summary>
internal sealed class PublicKeys(params IReadOnlyList<ECDsa> keys) : IDisposable
{
    private const int KeyIdBytes = 4;

    /// <summary>
    /// All keys in a PEM text, in any order. Throws <see cref="ArgumentException"/> or <see
    /// cref="CryptographicException"/> when one is none, or there is none.
    /// </summary>
    public static PublicKeys Read(string pem)
    {
        var keys = new List<ECDsa>();
        try
        {
            for (var rest = pem.AsSpan(); keys.Count == 0 || PemEncoding.TryFind(rest, out _); )
            {
                var field = PemEncoding.Find(rest);
                var key = ECDsa.Create();
                keys.Add(key);
                key.ImportFromPem(rest[field.Location]);
                rest = rest[field.Location.End..];
            }

            return new PublicKeys(keys);
        }
        catch
        {
            keys.ForEach(key => key.Dispose());
            throw;
        }
    }

    /// <summary>The key that a note's key id names; null: it is none of these.</summary>
    public ECDsa? Find(ReadOnlySpan<byte> keyId)
    {
        foreach (var key in keys)
        {
            if (keyId.SequenceEqual(SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, KeyIdBytes)))
            {
                return key;
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (var key in keys)
        {
            key.Dispose();
        }
    }
}
