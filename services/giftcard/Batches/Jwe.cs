using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// JSON Web Encryption (RFC 7516), compact, RSA-OAEP-256 and A256GCM: any JOSE library opens it with the private key.
/// </summary>
internal static class Jwe
{
    private const int MinKeyBits = 2048;
    private const int MaxKeyBits = 8192;
    private const int MaxPemLength = 4096;
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>The key in a PEM, or null for anything that is not a public RSA key of a sound size.</summary>
    public static RSA? PublicKey(string pem)
    {
        if (pem.Length > MaxPemLength || !pem.Contains("-----BEGIN PUBLIC KEY-----", StringComparison.Ordinal))
        {
            return null;
        }

        var key = RSA.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize is >= MinKeyBits and <= MaxKeyBits)
            {
                return key;
            }
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or CryptographicException)
        {
            // Not a key: told below.
        }

        key.Dispose();
        return null;
    }

    public static string Encrypt(byte[] plain, string contentType, RSA key)
    {
        var header = Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes($$"""{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"{{contentType}}"}""")
        );
        var contentKey = RandomNumberGenerator.GetBytes(KeyBytes);
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var cipher = new byte[plain.Length];
        var tag = new byte[TagBytes];
        using var aes = new AesGcm(contentKey, TagBytes);
        aes.Encrypt(nonce, plain, cipher, tag, Encoding.ASCII.GetBytes(header));
        return string.Join(
            '.',
            header,
            Base64Url.EncodeToString(key.Encrypt(contentKey, RSAEncryptionPadding.OaepSHA256)),
            Base64Url.EncodeToString(nonce),
            Base64Url.EncodeToString(cipher),
            Base64Url.EncodeToString(tag)
        );
    }
}
