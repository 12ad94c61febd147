using Microsoft.Extensions.Primitives;

namespace LocalPlus.Wallet.Keys;

/// <summary>
/// The keys of the secret pii_key, separated by commas: each opens what it has wrapped, and the first one becomes the
/// newest version (<see cref="PiiVersions"/>). Keys that are changed in the store are taken while the service runs, but
/// not if one is missing that is still needed.
/// </summary>
internal sealed class PiiKeyring
{
    private const string SecretName = "Secrets:pii_key";
    private volatile PiiKey[] keys;
    private volatile byte[][] needed = [];

    /// <exception cref="InvalidOperationException">It is no list of keys of 32 characters or more.</exception>
    public PiiKeyring(string? secret) => keys = Read(secret);

    /// <summary>With the keys of the store, also after they were changed.</summary>
    public PiiKeyring(IConfiguration configuration)
        : this(configuration[SecretName]) =>
        ChangeToken.OnChange(configuration.GetReloadToken, () => Take(configuration[SecretName]));

    public IReadOnlyList<PiiKey> Keys => keys;

    /// <summary>The one that is to be the newest version.</summary>
    public PiiKey First => keys[0];

    public PiiKey? Find(byte[] id) => Array.Find(keys, key => key.Is(id));

    /// <summary>Those of which something is left, by their ids: a list without one of them is not taken.</summary>
    public void Need(byte[][] ids) => needed = ids;

    /// <exception cref="InvalidOperationException">It lacks a key that is needed; the keys of before stay.</exception>
    public void Take(string? secret)
    {
        var next = Read(secret);
        keys = Array.TrueForAll(needed, id => Array.Exists(next, key => key.Is(id)))
            ? next
            : throw new InvalidOperationException(
                "The secret pii_key of service wallet lacks a key under which something is still kept."
            );
    }

    private static PiiKey[] Read(string? secret)
    {
        var texts = secret?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        return texts.Length > 0 && Array.TrueForAll(texts, text => text.Length >= PiiKey.MinLength)
            ? Array.ConvertAll(texts, text => new PiiKey(text))
            : throw new InvalidOperationException(
                $"The secret pii_key of service wallet has keys of {PiiKey.MinLength} characters or more."
            );
    }
}
