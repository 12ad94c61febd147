using System.Security.Cryptography;
using System.Text;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.DataProtection;

namespace LocalPlus.Console.Session;

/// <summary>
/// Protects cookies, forms and stored sessions with keys out of the secret store (<c>session_keys</c>: "2:base64
/// 1:base64", the first protects, all open), so that replicas agree on them and a new key needs no sign-in.
/// AES-256-GCM under a key of its own for each purpose; a text is version, nonce, tag, cipher.
/// </summary>
internal sealed class KeyedProtection : IDataProtectionProvider
{
    private const int KeyBytes = 32;

    /// <summary>Read when something is first protected: a migration has no such secret, and needs none.</summary>
    private readonly Lazy<IReadOnlyList<(byte Version, byte[] Key)>> keys;

    public KeyedProtection(IConfiguration configuration) =>
        keys = new(() => Read(configuration.Secret("session_keys")));

    public IDataProtector CreateProtector(string purpose) => new Protector(keys, purpose);

    private static IReadOnlyList<(byte Version, byte[] Key)> Read(string secret) =>
        [
            .. secret
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(entry => entry.Split(':', 2))
                .Select(parts => (byte.Parse(parts[0], null), Convert.FromBase64String(parts[1]))),
        ];

    private sealed class Protector(Lazy<IReadOnlyList<(byte Version, byte[] Key)>> keys, string purpose)
        : IDataProtector
    {
        private const int VersionBytes = 1;
        private static readonly int NonceBytes = AesGcm.NonceByteSizes.MaxSize;
        private static readonly int TagBytes = AesGcm.TagByteSizes.MaxSize;

        public IDataProtector CreateProtector(string purpose1) => new Protector(keys, $"{purpose}\n{purpose1}");

        public byte[] Protect(byte[] plaintext)
        {
            var (version, _) = keys.Value[0];
            var text = new byte[VersionBytes + NonceBytes + TagBytes + plaintext.Length];
            var (nonce, tag, cipher) = Parts(text);
            text[0] = version;
            RandomNumberGenerator.Fill(nonce.Span);
            using var aes = Cipher(version)!;
            aes.Encrypt(nonce.Span, plaintext, cipher.Span, tag.Span);
            return text;
        }

        /// <summary>Throws <see cref="CryptographicException"/> for anything that these keys did not protect.</summary>
        public byte[] Unprotect(byte[] protectedData)
        {
            using var aes =
                protectedData.Length > VersionBytes + NonceBytes + TagBytes ? Cipher(protectedData[0]) : null;
            if (aes is null)
            {
                throw new CryptographicException("Not protected by a key that is known.");
            }

            var (nonce, tag, cipher) = Parts(protectedData);
            var text = new byte[cipher.Length];
            aes.Decrypt(nonce.Span, cipher.Span, tag.Span, text);
            return text;
        }

        private static (Memory<byte> Nonce, Memory<byte> Tag, Memory<byte> Cipher) Parts(Memory<byte> text) =>
            (
                text.Slice(VersionBytes, NonceBytes),
                text.Slice(VersionBytes + NonceBytes, TagBytes),
                text[(VersionBytes + NonceBytes + TagBytes)..]
            );

        private AesGcm? Cipher(byte version) =>
            keys.Value.FirstOrDefault(k => k.Version == version).Key is { } key
                ? new AesGcm(
                    HKDF.DeriveKey(HashAlgorithmName.SHA256, key, KeyBytes, info: Encoding.UTF8.GetBytes(purpose)),
                    TagBytes
                )
                : null;
    }
}
