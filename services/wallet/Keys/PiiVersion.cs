using System.Security.Cryptography;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Keys;

/// <summary>What finds a person or a voucher: as it is written now, and as it may have been written before.</summary>
/// <param name="Newest">Keyed hash, 32 bytes, and a byte that says its version unless that is the first.</param>
/// <param name="Before">Of older versions that may still be there; none but while a key is replaced.</param>
internal sealed record Lookup(byte[] Newest, byte[][] Before)
{
    public byte[][] All => [.. Before, Newest];
}

/// <summary>
/// The newest version of pii_key: it wraps the keys of persons, and hashes what finds them. Each version hashes what
/// the one before it made, so what was stored under an old one is brought to the newest without knowing what it is of.
/// </summary>
internal sealed class PiiVersion
{
    public const byte First = 1;

    private const int HashLength = HMACSHA256.HashSizeInBytes;
    private const int WrappedLength = 60;
    private readonly PiiKey key;
    private readonly byte[][] links;
    private readonly byte oldest;

    /// <param name="links">What each version adds, the first version's first.</param>
    /// <param name="oldest">What was written under a version before it is there no more.</param>
    public PiiVersion(PiiKey key, byte[][] links, byte oldest)
    {
        (this.key, this.links, this.oldest) = (key, links, oldest);
        Number = checked((byte)links.Length);
    }

    public byte Number { get; }

    /// <summary>Nothing is left of an older one.</summary>
    public bool IsAlone => oldest == Number;

    /// <summary>
    /// Finds a merchant's customer or member by address; null where it is none. Mail systems in use ignore case on both
    /// sides of the @. The same person at two merchants gives two values.
    /// </summary>
    public Lookup? Email(MerchantId merchant, string? email) =>
        EmailAddress.TryParse(email, out var address) ? Of($"{merchant}\n{address.ToLowerInvariant()}") : null;

    /// <summary>
    /// As the other, for a telephone; null where it is none in its international form. The two kinds never meet.
    /// </summary>
    public Lookup? Phone(MerchantId merchant, string? phone) =>
        phone is not null && PhoneNumber.Parse(phone) is { } number ? Of($"phone\n{merchant}\n{number}") : null;

    /// <summary>Finds a voucher by its code.</summary>
    public Lookup Voucher(ProgramId program, string code) => Of($"voucher\n{program}\n{code}");

    /// <summary>What was stored under an older version, under this one.</summary>
    public byte[] Advance(byte[] stored)
    {
        var hash = stored[..HashLength];
        for (var version = stored.Length == HashLength ? First : stored[^1]; version < Number; version++)
        {
            hash = HMACSHA256.HashData(links[version], hash);
        }

        return Marked(hash, Number);
    }

    /// <summary>A person's key, wrapped: 60 bytes, and a byte that says the version unless that is the first.</summary>
    public byte[] Wrap(CustomerId subject, byte[] clear) => Marked(key.Wrap(subject, clear), Number);

    /// <summary>What was wrapped, without its version.</summary>
    public static byte[] Bare(byte[] wrapped) => wrapped.Length > WrappedLength ? wrapped[..WrappedLength] : wrapped;

    private Lookup Of(string text)
    {
        var (hash, before) = (Encoding.UTF8.GetBytes(text), new List<byte[]>());
        for (var version = First; ; version++)
        {
            hash = HMACSHA256.HashData(links[version - 1], hash);
            if (version == Number)
            {
                return new(Marked(hash, version), [.. before]);
            }

            if (version >= oldest)
            {
                before.Add(Marked(hash, version));
            }
        }
    }

    private static byte[] Marked(byte[] bare, byte version) => version == First ? bare : [.. bare, version];
}
