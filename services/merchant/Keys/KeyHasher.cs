using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// HMAC-SHA256 of a key's whole text under the pepper from the secret store: a stolen database does not let anyone try
/// keys, and a test key's hash does not fit the same key with the live prefix. The secret is one pepper or several,
/// separated by commas: the first makes new hashes, the others are there for keys that were made under them.
/// </summary>
internal sealed class KeyHasher
{
    public const string SecretName = "key_pepper";
    public const int PepperMinLength = 32;
    private volatile byte[][] peppers;

    public KeyHasher(string? secret) => peppers = Read(secret);

    /// <summary>With the peppers of the store, also after they were changed.</summary>
    public KeyHasher(IConfiguration configuration)
        : this(configuration[$"Secrets:{SecretName}"]) =>
        ChangeToken.OnChange(
            configuration.GetReloadToken,
            () => peppers = Read(configuration[$"Secrets:{SecretName}"])
        );

    public byte[] Hash(KeyText key) => Hash(key, peppers[0]);

    /// <summary>Compares in constant time; an absent hash costs the same work and never matches.</summary>
    public bool Matches(KeyText key, byte[]? stored)
    {
        var matches = false;
        foreach (var pepper in peppers)
        {
            matches |= CryptographicOperations.FixedTimeEquals(
                Hash(key, pepper),
                stored ?? new byte[HMACSHA256.HashSizeInBytes]
            );
        }

        return matches && stored is not null;
    }

    private static byte[] Hash(KeyText key, byte[] pepper) =>
        HMACSHA256.HashData(pepper, Encoding.ASCII.GetBytes(key.Text));

    private static byte[][] Read(string? secret)
    {
        var texts = secret?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return texts.Length > 0 && Array.TrueForAll(texts, text => text.Length >= PepperMinLength)
            ? Array.ConvertAll(texts, Encoding.UTF8.GetBytes)
            : throw new InvalidOperationException(
                $"Each pepper in the secret {SecretName} of service merchant must have at least "
                    + $"{PepperMinLength} characters."
            );
    }
}
