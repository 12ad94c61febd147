using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Notification.Readers;

/// <summary>How a message reaches its reader.</summary>
internal static class Channels
{
    public const string Mail = "mail";
    public const string Sms = "sms";
}

/// <summary>
/// Keyed hashes of the addresses that messages went to (secret address_key): what a reader wants is found again by
/// them, and whoever has the table without the key can not try an address against it. The same address of two merchants
/// has two hashes. Several keys are separated by commas: the first one hashes and signs, the others are those of
/// before. Keys that are changed in the store are taken while the service runs.
/// </summary>
internal sealed class AddressHashes
{
    public const int Length = 32;
    private const string SecretName = "Secrets:address_key";
    private const int ProofLength = 16;
    private const int KeyMinLength = 32;
    private volatile KeySet[] keys;

    /// <param name="secret">Keys of 32 characters or more; what was hashed with none of them is not found any
    /// more.</param>
    public AddressHashes(string? secret) => keys = Read(secret);

    /// <summary>With the keys of the store, also after they were changed.</summary>
    public AddressHashes(IConfiguration configuration)
        : this(configuration[SecretName]) =>
        ChangeToken.OnChange(configuration.GetReloadToken, () => keys = Read(configuration[SecretName]));

    public byte[] Of(MerchantId merchant, string channel, string address) => Of(keys[0], merchant, channel, address);

    /// <summary>What it was called by the keys of before; none, unless the key was changed.</summary>
    public IReadOnlyList<byte[]> BeforeOf(MerchantId merchant, string channel, string address) =>
        [.. keys.Skip(1).Select(key => Of(key, merchant, channel, address))];

    private static byte[] Of(KeySet key, MerchantId merchant, string channel, string address)
    {
        // What stands before the @ means the same in capitals wherever mail is read.
        var text = $"{merchant}\n{channel}\n{address.ToLowerInvariant()}";
        return HMACSHA256.HashData(key.Addresses, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>What proves that a token is ours.</summary>
    public byte[] Sign(ReadOnlySpan<byte> token) => HMACSHA256.HashData(keys[0].Tokens, token);

    /// <summary>Whether it is proved by the beginning of a signature, of a key of before too.</summary>
    public bool IsSigned(ReadOnlySpan<byte> token, ReadOnlySpan<byte> beginning)
    {
        var isSigned = false;
        foreach (var key in keys)
        {
            isSigned |= CryptographicOperations.FixedTimeEquals(
                HMACSHA256.HashData(key.Tokens, token).AsSpan(0, beginning.Length),
                beginning
            );
        }

        return isSigned;
    }

    /// <summary>What proves that a message was sent by us; 16 bytes.</summary>
    public byte[] ProveSent(ReadOnlySpan<byte> id) => ProveSent(keys[0], id);

    /// <summary>Whether that proves it, by a key of before too.</summary>
    public bool IsProof(ReadOnlySpan<byte> id, ReadOnlySpan<byte> proof)
    {
        var isProof = false;
        foreach (var key in keys)
        {
            isProof |= CryptographicOperations.FixedTimeEquals(ProveSent(key, id), proof);
        }

        return isProof;
    }

    private static byte[] ProveSent(KeySet key, ReadOnlySpan<byte> id) =>
        HMACSHA256.HashData(key.Sent, id)[..ProofLength];

    private static KeySet[] Read(string? secret)
    {
        var texts = secret?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return texts.Length > 0 && Array.TrueForAll(texts, text => text.Length >= KeyMinLength)
            ?
            [
                .. texts.Select(text => new KeySet(
                    Derive(text, "notification-address"),
                    Derive(text, "notification-unsubscribe"),
                    Derive(text, "notification-sent")
                )),
            ]
            : throw new InvalidOperationException(
                $"The secret address_key of service notification has keys of {KeyMinLength} characters or more."
            );
    }

    private static byte[] Derive(string secret, string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(secret),
            Length,
            info: Encoding.UTF8.GetBytes(purpose)
        );

    /// <summary>A key of its own for each purpose.</summary>
    private sealed record KeySet(byte[] Addresses, byte[] Tokens, byte[] Sent);
}
