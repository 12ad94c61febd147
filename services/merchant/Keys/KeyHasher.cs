using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// HMAC-SHA256 of a key's whole text under the pepper from the secret store: a stolen database does not let anyone try
/// keys, and a test key's hash does not fit the same key with the live prefix.
/// </summary>
internal sealed class KeyHasher
{
    public const int PepperMinLength = 32;
    private readonly byte[] pepper;

    public KeyHasher(string? pepper)
    {
        if (pepper is not { Length: >= PepperMinLength })
        {
            throw new InvalidOperationException(
                $"The secret key_pepper of service merchant must have at least {PepperMinLength} characters."
            );
        }

        this.pepper = Encoding.UTF8.GetBytes(pepper);
    }

    public byte[] Hash(KeyText key) => HMACSHA256.HashData(pepper, Encoding.ASCII.GetBytes(key.Text));

    /// <summary>Compares in constant time; an absent hash costs the same work and never matches.</summary>
    public bool Matches(KeyText key, byte[]? stored) =>
        CryptographicOperations.FixedTimeEquals(Hash(key), stored ?? new byte[HMACSHA256.HashSizeInBytes])
        && stored is not null;
}
