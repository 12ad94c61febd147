using System.Security.Cryptography;

namespace LocalPlus.Hosting;

/// <summary>
/// AES-256-GCM under a key that is derived from those of fingerprints: the version of the key, a nonce, the text and
/// its tag. It opens only where it was put, and not when it was changed.
/// </summary>
internal static class SealedBox
{
    private const int VersionBytes = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <param name="purpose">What the key is derived for.</param>
    /// <param name="place">Where it lies: in another place it does not open.</param>
    public static byte[] Seal(FingerprintKeys keys, string purpose, byte[] text, byte[] place)
    {
        var box = new byte[VersionBytes + NonceBytes + text.Length + TagBytes];
        box[0] = keys.Newest;
        var nonce = box.AsSpan(VersionBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys.Derive(box[0], purpose), TagBytes);
        aes.Encrypt(nonce, text, box.AsSpan(VersionBytes + NonceBytes, text.Length), box.AsSpan(^TagBytes..), place);
        return box;
    }

    /// <summary>Null for what was sealed for another place, or changed, and when the key is gone.</summary>
    public static byte[]? Open(FingerprintKeys keys, string purpose, byte[] box, byte[] place)
    {
        if (box.Length < VersionBytes + NonceBytes + TagBytes || !keys.Knows(box[0]))
        {
            return null;
        }

        var text = new byte[box.Length - VersionBytes - NonceBytes - TagBytes];
        using var aes = new AesGcm(keys.Derive(box[0], purpose), TagBytes);
        try
        {
            aes.Decrypt(
                box.AsSpan(VersionBytes, NonceBytes),
                box.AsSpan(VersionBytes + NonceBytes, text.Length),
                box.AsSpan(^TagBytes..),
                text,
                place
            );
            return text;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
