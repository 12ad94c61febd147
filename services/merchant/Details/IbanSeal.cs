using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Keys;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Merchant.Details;

/// <summary>
/// How an IBAN rests: AES-256-GCM under a key that is derived from the service's pepper, bound to its merchant, so that
/// neither a stolen database tells it nor a row that is moved to another merchant opens.
/// </summary>
internal sealed class IbanSeal
{
    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;
    private const int IdBytes = 16;
    private volatile byte[][] keys;

    public IbanSeal(string? secret) => keys = Derive(secret);

    /// <summary>With the peppers of the store, also after they were changed: the first seals, all open.</summary>
    public IbanSeal(IConfiguration configuration)
        : this(configuration[$"Secrets:{KeyHasher.SecretName}"]) =>
        ChangeToken.OnChange(
            configuration.GetReloadToken,
            () => keys = Derive(configuration[$"Secrets:{KeyHasher.SecretName}"])
        );

    public byte[] Seal(MerchantId merchant, Iban iban)
    {
        var text = Encoding.ASCII.GetBytes(iban.Text);
        var box = new byte[1 + NonceBytes + text.Length + TagBytes];
        box[0] = Version;
        var nonce = box.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys[0], TagBytes);
        aes.Encrypt(nonce, text, box.AsSpan(1 + NonceBytes, text.Length), box.AsSpan(^TagBytes..), Bound(merchant));
        return box;
    }

    /// <summary>
    /// Throws <see cref="AuthenticationTagMismatchException"/> for a box that is not this merchant's.
    /// </summary>
    public string Open(MerchantId merchant, byte[] box)
    {
        var text = new byte[box.Length - 1 - NonceBytes - TagBytes];
        var all = keys;
        for (var i = 0; ; i++)
        {
            using var aes = new AesGcm(all[i], TagBytes);
            try
            {
                aes.Decrypt(
                    box.AsSpan(1, NonceBytes),
                    box.AsSpan(1 + NonceBytes, text.Length),
                    box.AsSpan(^TagBytes..),
                    text,
                    Bound(merchant)
                );
                return Encoding.ASCII.GetString(text);
            }
            catch (AuthenticationTagMismatchException) when (i + 1 < all.Length)
            {
                // Sealed under an older pepper, or under none of them: the last one tells.
            }
        }
    }

    private static byte[][] Derive(string? secret) =>
        [
            .. (secret ?? throw new InvalidOperationException("The secret key_pepper of service merchant is missing."))
                .Split(',', StringSplitOptions.TrimEntries)
                .Select(pepper =>
                    HKDF.DeriveKey(
                        HashAlgorithmName.SHA256,
                        Encoding.UTF8.GetBytes(pepper),
                        KeyBytes,
                        info: "merchant-iban"u8.ToArray()
                    )
                ),
        ];

    private static byte[] Bound(MerchantId merchant)
    {
        var bytes = new byte[IdBytes];
        merchant.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        return bytes;
    }
}
