using System.Security.Cryptography;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// Everything that needs the pepper (secret giftcard/code_pepper): the keyed hash a code is found by, the hash of a
/// PIN, and the seal around a code between the sale and its hand-over. Without the pepper the database tells nothing.
/// The secret is one pepper or several, separated by commas: the first is for what is made from now on, the others for
/// cards that were sold under them.
/// </summary>
internal sealed class CardSecrets
{
    public const string SecretName = "code_pepper";

    /// <summary>Digits of a PIN: few on purpose, the lock-out and the pepper are what protects them.</summary>
    public const int MinPinLength = 4;
    public const int MaxPinLength = 8;

    /// <summary>Wrong PINs until the card locks itself.</summary>
    public const int PinTries = 5;

    private const int PepperMinBytes = 32;
    private const int PinIterations = 10_000;
    private const int PinHashBytes = 32;
    private const int SaltBytes = 16;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private volatile Keys[] keys;

    public CardSecrets(string secret) => keys = Read(secret);

    /// <summary>With the peppers of the store, also after they were changed.</summary>
    public CardSecrets(IConfiguration configuration)
        : this(configuration.Secret(SecretName)) =>
        ChangeToken.OnChange(configuration.GetReloadToken, () => keys = Read(configuration.Secret(SecretName)));

    /// <summary>How long a wrong PIN too many locks a card.</summary>
    public static TimeSpan PinLock { get; } = TimeSpan.FromMinutes(30);

    /// <summary>What a new card's code is filed under.</summary>
    public byte[] HashCode(string normalised) => HashCode(normalised, keys[0]);

    /// <summary>What a code may be filed under.</summary>
    public byte[][] HashesOfCode(string normalised) => [.. keys.Select(key => HashCode(normalised, key))];

    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltBytes);

    /// <summary>Six random digits.</summary>
    public static string NewPin() =>
        RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What a new card's PIN is kept as.</summary>
    public byte[] HashPin(string pin, byte[] salt) => HashPin(pin, salt, keys[0]);

    /// <summary>What a PIN may be kept as.</summary>
    public byte[][] HashesOfPin(string pin, byte[] salt) => [.. keys.Select(key => HashPin(pin, salt, key))];

    private static byte[] HashCode(string normalised, Keys key) =>
        HMACSHA256.HashData(key.Code, Encoding.UTF8.GetBytes(normalised));

    private static byte[] HashPin(string pin, byte[] salt, Keys key) =>
        Rfc2898DeriveBytes.Pbkdf2(
            HMACSHA256.HashData(key.Pin, Encoding.UTF8.GetBytes(pin)),
            salt,
            PinIterations,
            HashAlgorithmName.SHA256,
            PinHashBytes
        );

    /// <summary>Encrypts a text for one card: a seal moved to another row does not open.</summary>
    public byte[] Seal(string text, GiftCardId giftCardId)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var sealedText = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(sealedText.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(keys[0].Seal, TagBytes);
        aes.Encrypt(
            sealedText.AsSpan(0, NonceBytes),
            plain,
            sealedText.AsSpan(NonceBytes, plain.Length),
            sealedText.AsSpan(NonceBytes + plain.Length),
            giftCardId.Value.ToByteArray(bigEndian: true)
        );
        return sealedText;
    }

    public string Open(byte[] sealedText, GiftCardId giftCardId)
    {
        var known = keys;
        for (var i = 0; ; i++)
        {
            try
            {
                return Open(sealedText, giftCardId, known[i]);
            }
            catch (AuthenticationTagMismatchException) when (i < known.Length - 1)
            {
                // Sealed under an older pepper.
            }
        }
    }

    private static string Open(byte[] sealedText, GiftCardId giftCardId, Keys key)
    {
        var plain = new byte[sealedText.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key.Seal, TagBytes);
        aes.Decrypt(
            sealedText.AsSpan(0, NonceBytes),
            sealedText.AsSpan(NonceBytes, plain.Length),
            sealedText.AsSpan(NonceBytes + plain.Length),
            plain,
            giftCardId.Value.ToByteArray(bigEndian: true)
        );
        return Encoding.UTF8.GetString(plain);
    }

    private static Keys[] Read(string secret) =>
        Array.ConvertAll(
            secret.Split(',', StringSplitOptions.TrimEntries),
            pepper =>
                Encoding.UTF8.GetBytes(pepper) is { Length: >= PepperMinBytes } bytes
                    ? new Keys(
                        Derive(bytes, "gift-card-code"),
                        Derive(bytes, "gift-card-pin"),
                        Derive(bytes, "gift-card-seal")
                    )
                    : throw new InvalidOperationException(
                        $"Each pepper in the secret giftcard/{SecretName} must have at least {PepperMinBytes} bytes."
                    )
        );

    private static byte[] Derive(byte[] pepper, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, pepper, 32, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>What is made of one pepper.</summary>
    private sealed record Keys(byte[] Code, byte[] Pin, byte[] Seal);
}
