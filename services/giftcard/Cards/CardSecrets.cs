using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// Everything that needs the pepper (secret giftcard/code_pepper): the keyed hash a code is found by, the hash of a
/// PIN, and the seal around a code between the sale and its hand-over. Without the pepper the database tells nothing.
/// </summary>
internal sealed class CardSecrets
{
    /// <summary>Digits of a PIN: few on purpose, the lock-out and the pepper are what protects them.</summary>
    public const int MinPinLength = 4;
    public const int MaxPinLength = 8;

    /// <summary>Wrong PINs until the card locks itself.</summary>
    public const int PinTries = 5;

    private const int PinIterations = 10_000;
    private const int PinHashBytes = 32;
    private const int SaltBytes = 16;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] codeKey;
    private readonly byte[] pinKey;
    private readonly byte[] sealKey;

    public CardSecrets(string pepper)
    {
        var bytes = Encoding.UTF8.GetBytes(pepper);
        if (bytes.Length < 32)
        {
            throw new InvalidOperationException("The secret giftcard/code_pepper must have at least 32 bytes.");
        }

        codeKey = Derive(bytes, "gift-card-code");
        pinKey = Derive(bytes, "gift-card-pin");
        sealKey = Derive(bytes, "gift-card-seal");
    }

    /// <summary>How long a wrong PIN too many locks a card.</summary>
    public static TimeSpan PinLock { get; } = TimeSpan.FromMinutes(30);

    public byte[] HashCode(string normalised) => HMACSHA256.HashData(codeKey, Encoding.UTF8.GetBytes(normalised));

    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltBytes);

    /// <summary>Six random digits.</summary>
    public static string NewPin() =>
        RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);

    public byte[] HashPin(string pin, byte[] salt) =>
        Rfc2898DeriveBytes.Pbkdf2(
            HMACSHA256.HashData(pinKey, Encoding.UTF8.GetBytes(pin)),
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
        using var aes = new AesGcm(sealKey, TagBytes);
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
        var plain = new byte[sealedText.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(sealKey, TagBytes);
        aes.Decrypt(
            sealedText.AsSpan(0, NonceBytes),
            sealedText.AsSpan(NonceBytes, plain.Length),
            sealedText.AsSpan(NonceBytes + plain.Length),
            plain,
            giftCardId.Value.ToByteArray(bigEndian: true)
        );
        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Derive(byte[] pepper, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, pepper, 32, info: Encoding.UTF8.GetBytes(purpose));
}
