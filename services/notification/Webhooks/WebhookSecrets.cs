using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Webhooks;

/// <summary>
/// The secrets with which webhooks are signed: made here, shown once, kept encrypted with keys that the database does
/// not have (secret webhook_keys, <c>version:text</c>, several separated by commas; the first one encrypts). A secret
/// that is moved to another endpoint's row does not open.
/// </summary>
internal sealed class WebhookSecrets
{
    /// <summary>As the specification of Standard Webhooks has it.</summary>
    public const string Prefix = "whsec_";

    private const int KeyMinLength = 32;
    private const int SecretBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int IdBytes = 16;
    private readonly Dictionary<byte, byte[]> keys = [];
    private readonly byte newest;

    public WebhookSecrets(string? setting)
    {
        foreach (var entry in (setting ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            var at = entry.IndexOf(':', StringComparison.Ordinal);
            if (
                at < 1
                || !byte.TryParse(entry.AsSpan(0, at), out var version)
                || version == 0
                || entry.Length - at <= KeyMinLength
                || !keys.TryAdd(version, Derive(entry[(at + 1)..]))
            )
            {
                throw new InvalidOperationException(
                    "The secret webhook_keys of service notification reads version:key: 1 to 255, and "
                        + $"{KeyMinLength} characters or more."
                );
            }

            newest = newest == 0 ? version : newest;
        }
    }

    /// <summary>A new secret: what its endpoint's merchant is shown, and what is stored.</summary>
    public (string Shown, byte[] Stored) New(WebhookId id)
    {
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var box = new byte[1 + NonceBytes + SecretBytes + TagBytes];
        box[0] = newest;
        var nonce = box.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys[newest], TagBytes);
        aes.Encrypt(nonce, secret, box.AsSpan(1 + NonceBytes, SecretBytes), box.AsSpan(^TagBytes..), Owner(id));
        return (Prefix + Convert.ToBase64String(secret), box);
    }

    /// <summary>The bytes that sign. Throws <see cref="CryptographicException"/> for another endpoint's.</summary>
    public byte[] Open(WebhookId id, byte[] stored)
    {
        if (!keys.TryGetValue(stored[0], out var key))
        {
            throw new CryptographicException("The key of a webhook's secret is not in webhook_keys any more.");
        }

        var secret = new byte[SecretBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(
            stored.AsSpan(1, NonceBytes),
            stored.AsSpan(1 + NonceBytes, SecretBytes),
            stored.AsSpan(^TagBytes..),
            secret,
            Owner(id)
        );
        return secret;
    }

    private static byte[] Derive(string text) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(text),
            SecretBytes,
            info: "webhook-secret"u8.ToArray()
        );

    private static byte[] Owner(WebhookId id)
    {
        var bytes = new byte[IdBytes];
        id.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        return bytes;
    }
}
