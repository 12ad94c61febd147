using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// Encrypts personal data per subject: AES-256-GCM under a key of that person, itself wrapped by the service's key
/// (GDPR art. 17: destroying one wrapped key erases one person, in the backups too). The customer's id is authenticated
/// with both, so neither a key nor a row can be moved to another person.
/// </summary>
internal sealed class PersonalDataVault(PiiKeyring keyring)
{
    /// <summary>A new key for <paramref name="subject"/> and its data under it.</summary>
    public static (byte[] WrappedKey, byte[] Sealed) Protect(PiiVersion version, CustomerId subject, PersonalData data)
    {
        var key = RandomNumberGenerator.GetBytes(AesBox.KeyLength);
        try
        {
            var clear = JsonSerializer.SerializeToUtf8Bytes(data);
            return (version.Wrap(subject, key), AesBox.Seal(key, clear, Context("data", subject)));
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

    /// <summary>The same key, wrapped by the newest version.</summary>
    public byte[] Rewrap(PiiVersion version, CustomerId subject, byte[] wrappedKey)
    {
        var key = Unwrap(subject, wrappedKey);
        try
        {
            return version.Wrap(subject, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Changed data of a person who has a key.</summary>
    public byte[] Seal(CustomerId subject, byte[] wrappedKey, PersonalData data) =>
        Encrypt(subject, wrappedKey, "data", JsonSerializer.SerializeToUtf8Bytes(data));

    /// <summary>A text about a person, of which there may be many; <paramref name="kind"/> says what it is.</summary>
    public byte[] SealText(CustomerId subject, byte[] wrappedKey, string kind, string text) =>
        Encrypt(subject, wrappedKey, kind, Encoding.UTF8.GetBytes(text));

    /// <summary>As <see cref="SealText"/> sealed it.</summary>
    public string OpenText(CustomerId subject, byte[] wrappedKey, string kind, byte[] sealedText) =>
        Encoding.UTF8.GetString(Decrypt(subject, wrappedKey, kind, sealedText));

    private byte[] Encrypt(CustomerId subject, byte[] wrappedKey, string kind, byte[] clear)
    {
        var key = Unwrap(subject, wrappedKey);
        try
        {
            return AesBox.Seal(key, clear, Context(kind, subject));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[] Decrypt(CustomerId subject, byte[] wrappedKey, string kind, byte[] box)
    {
        var key = Unwrap(subject, wrappedKey);
        try
        {
            return AesBox.Open(key, box, Context(kind, subject))
                ?? throw new CryptographicException($"What is sealed as {kind} of {subject} was changed or moved.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[] Unwrap(CustomerId subject, byte[] wrappedKey)
    {
        var bare = PiiVersion.Bare(wrappedKey);
        foreach (var key in keyring.Keys)
        {
            if (key.Unwrap(subject, bare) is { } clear)
            {
                return clear;
            }
        }

        throw new CryptographicException($"No key of pii_key opens the key of {subject}.");
    }

    private static byte[] Context(string purpose, CustomerId subject) =>
        Encoding.ASCII.GetBytes($"{purpose}:{subject}");
}
