using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// Encrypts personal data per subject: AES-256-GCM under a key of that person, itself wrapped by the service's key
/// (GDPR art. 17: destroying one wrapped key erases one person, in the backups too). The customer's id is authenticated
/// with both, so neither a key nor a row can be moved to another person.
/// </summary>
internal sealed class PersonalDataVault
{
    public const int ServiceKeyMinLength = 32;
    private const int KeyBytes = 32;
    private static readonly int NonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagBytes = AesGcm.TagByteSizes.MaxSize;
    private readonly byte[] wrappingKey;
    private readonly byte[] lookupKey;

    public PersonalDataVault(string? serviceKey)
    {
        if (serviceKey is not { Length: >= ServiceKeyMinLength })
        {
            throw new InvalidOperationException(
                $"The secret pii_key of service wallet must have at least {ServiceKeyMinLength} characters."
            );
        }

        // Two keys from one secret, so that the lookup never works with the key that unwraps.
        var material = Encoding.UTF8.GetBytes(serviceKey);
        wrappingKey = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            material,
            KeyBytes,
            info: "localplus.wallet.wrap"u8.ToArray()
        );
        lookupKey = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            material,
            KeyBytes,
            info: "localplus.wallet.lookup"u8.ToArray()
        );
    }

    /// <summary>A new key for <paramref name="subject"/> and its data under it.</summary>
    public (byte[] WrappedKey, byte[] Sealed) Protect(CustomerId subject, PersonalData data)
    {
        var key = RandomNumberGenerator.GetBytes(KeyBytes);
        try
        {
            var clear = JsonSerializer.SerializeToUtf8Bytes(data);
            return (Encrypt(wrappingKey, key, Context("key", subject)), Encrypt(key, clear, Context("data", subject)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>
    /// The data in clear. Throws <see cref="CryptographicException"/> when anything was changed or moved.
    /// </summary>
    public PersonalData Reveal(CustomerId subject, byte[] wrappedKey, byte[] sealedData) =>
        JsonSerializer.Deserialize<PersonalData>(Decrypt(subject, wrappedKey, "data", sealedData))
        ?? throw new CryptographicException("The sealed personal data is empty.");

    /// <summary>Changed data of a person who has a key.</summary>
    public byte[] Seal(CustomerId subject, byte[] wrappedKey, PersonalData data) =>
        Encrypt(subject, wrappedKey, "data", JsonSerializer.SerializeToUtf8Bytes(data));

    /// <summary>A text about a person, of which there may be many; <paramref name="kind"/> says what it is.</summary>
    public byte[] SealText(CustomerId subject, byte[] wrappedKey, string kind, string text) =>
        Encrypt(subject, wrappedKey, kind, Encoding.UTF8.GetBytes(text));

    /// <summary>As <see cref="SealText"/> sealed it.</summary>
    public string OpenText(CustomerId subject, byte[] wrappedKey, string kind, byte[] sealedText) =>
        Encoding.UTF8.GetString(Decrypt(subject, wrappedKey, kind, sealedText));

    /// <summary>
    /// The key under which a merchant's customer is found by address; mail systems in use ignore case on both sides of
    /// the @. The same person at two merchants gives two values.
    /// </summary>
    public byte[] EmailLookup(MerchantId merchant, string email) =>
        HMACSHA256.HashData(lookupKey, Encoding.UTF8.GetBytes($"{merchant}\n{email.ToLowerInvariant()}"));

    /// <summary>
    /// As <see cref="EmailLookup"/>, for a telephone in its international form; the two kinds never meet.
    /// </summary>
    public byte[] PhoneLookup(MerchantId merchant, string phone) =>
        HMACSHA256.HashData(lookupKey, Encoding.UTF8.GetBytes($"phone\n{merchant}\n{phone}"));

    /// <summary>The key under which a voucher is found by its code.</summary>
    public byte[] VoucherLookup(ProgramId program, string code) =>
        HMACSHA256.HashData(lookupKey, Encoding.UTF8.GetBytes($"voucher\n{program}\n{code}"));

    private byte[] Encrypt(CustomerId subject, byte[] wrappedKey, string kind, byte[] clear)
    {
        var key = Decrypt(wrappingKey, wrappedKey, Context("key", subject));
        try
        {
            return Encrypt(key, clear, Context(kind, subject));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[] Decrypt(CustomerId subject, byte[] wrappedKey, string kind, byte[] box)
    {
        var key = Decrypt(wrappingKey, wrappedKey, Context("key", subject));
        try
        {
            return Decrypt(key, box, Context(kind, subject));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] Context(string purpose, CustomerId subject) =>
        Encoding.ASCII.GetBytes($"{purpose}:{subject}");

    private static byte[] Encrypt(byte[] key, byte[] clear, byte[] context)
    {
        var box = new byte[NonceBytes + clear.Length + TagBytes];
        var nonce = box.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, clear, box.AsSpan(NonceBytes, clear.Length), box.AsSpan(NonceBytes + clear.Length), context);
        return box;
    }

    private static byte[] Decrypt(byte[] key, byte[] box, byte[] context)
    {
        if (box.Length < NonceBytes + TagBytes)
        {
            throw new CryptographicException("The sealed data is too short.");
        }

        var clear = new byte[box.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(
            box.AsSpan(0, NonceBytes),
            box.AsSpan(NonceBytes, clear.Length),
            box.AsSpan(NonceBytes + clear.Length),
            clear,
            context
        );
        return clear;
    }
}
