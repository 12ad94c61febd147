using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Keys;

/// <summary>
/// One key of the secret pii_key. What wraps and what finds people are two keys of one text, so that neither works with
/// the other's.
/// </summary>
internal sealed class PiiKey
{
    /// <summary>Characters of its text.</summary>
    public const int MinLength = 32;

    private const int IdLength = 16;
    private readonly byte[] wrapping;

    public PiiKey(string text)
    {
        var material = Encoding.UTF8.GetBytes(text);
        wrapping = Derive(material, "localplus.wallet.wrap", AesBox.KeyLength);
        FirstLookup = Derive(material, "localplus.wallet.lookup", AesBox.KeyLength);
        Id = Derive(material, "localplus.wallet.id", IdLength);
    }

    /// <summary>Tells it from other keys, and nothing of it.</summary>
    public byte[] Id { get; }

    /// <summary>What hashes where it is the first version.</summary>
    public byte[] FirstLookup { get; }

    public bool Is(byte[] id) => Id.AsSpan().SequenceEqual(id);

    /// <summary>A person's key, wrapped: 60 bytes.</summary>
    public byte[] Wrap(CustomerId subject, byte[] key) => AesBox.Seal(wrapping, key, Of(subject));

    /// <summary>Null when another key has wrapped it, or for somebody else.</summary>
    public byte[]? Unwrap(CustomerId subject, byte[] wrapped) => AesBox.Open(wrapping, wrapped, Of(subject));

    /// <summary>What a version adds to hashes, wrapped: 60 bytes.</summary>
    public byte[] WrapLookup(short version, byte[] key) => AesBox.Seal(wrapping, key, Of(version));

    /// <summary>Null when another key has wrapped it, or for another version.</summary>
    public byte[]? UnwrapLookup(short version, byte[] wrapped) => AesBox.Open(wrapping, wrapped, Of(version));

    private static byte[] Of(CustomerId subject) => Encoding.ASCII.GetBytes($"key:{subject}");

    private static byte[] Of(short version) => Encoding.ASCII.GetBytes($"lookup:{version}");

    private static byte[] Derive(byte[] material, string purpose, int length) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material, length, info: Encoding.ASCII.GetBytes(purpose));
}

/// <summary>AES-256-GCM: nonce, ciphertext, tag. Opens only with what it was sealed for.</summary>
internal static class AesBox
{
    public const int KeyLength = 32;

    private static readonly int NonceLength = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagLength = AesGcm.TagByteSizes.MaxSize;

    public static byte[] Seal(byte[] key, byte[] clear, byte[] context)
    {
        var box = new byte[NonceLength + clear.Length + TagLength];
        var nonce = box.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagLength);
        aes.Encrypt(nonce, clear, box.AsSpan(NonceLength, clear.Length), box.AsSpan(^TagLength..), context);
        return box;
    }

    /// <summary>Null for what was sealed by another key or for something else, or was changed.</summary>
    public static byte[]? Open(byte[] key, byte[] box, byte[] context)
    {
        if (box.Length < NonceLength + TagLength)
        {
            return null;
        }

        var clear = new byte[box.Length - NonceLength - TagLength];
        using var aes = new AesGcm(key, TagLength);
        try
        {
            aes.Decrypt(
                box.AsSpan(0, NonceLength),
                box.AsSpan(NonceLength, clear.Length),
                box.AsSpan(^TagLength..),
                clear,
                context
            );
            return clear;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
