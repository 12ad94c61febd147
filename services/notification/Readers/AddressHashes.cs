using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;

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
/// has two hashes.
/// </summary>
internal sealed class AddressHashes
{
    public const int Length = 32;
    private const int ProofLength = 16;
    private const int KeyMinLength = 32;
    private readonly byte[] addresses;
    private readonly byte[] tokens;
    private readonly byte[] sent;

    /// <param name="secret">32 characters or more; what was hashed with another one is not found any more.</param>
    public AddressHashes(string? secret)
    {
        if (secret is not { Length: >= KeyMinLength })
        {
            throw new InvalidOperationException(
                $"The secret address_key of service notification has {KeyMinLength} characters or more."
            );
        }

        (addresses, tokens) = (Derive(secret, "notification-address"), Derive(secret, "notification-unsubscribe"));
        sent = Derive(secret, "notification-sent");
    }

    public byte[] Of(MerchantId merchant, string channel, string address)
    {
        // What stands before the @ means the same in capitals wherever mail is read.
        var text = $"{merchant}\n{channel}\n{address.ToLowerInvariant()}";
        return HMACSHA256.HashData(addresses, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>What proves that a token is ours.</summary>
    public byte[] Sign(ReadOnlySpan<byte> token) => HMACSHA256.HashData(tokens, token);

    /// <summary>What proves that a message was sent by us; 16 bytes.</summary>
    public byte[] ProveSent(ReadOnlySpan<byte> id) => HMACSHA256.HashData(sent, id)[..ProofLength];

    private static byte[] Derive(string secret, string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(secret),
            Length,
            info: Encoding.UTF8.GetBytes(purpose)
        );
}
