using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>Whom a link of a mail unsubscribes from what.</summary>
internal sealed record Unsubscription(MerchantId MerchantId, CustomerId CustomerId, byte[] AddressHash, string Kind);

/// <summary>
/// Links by which a reader asks for no more of a kind, without being signed in: what they say is signed, and nothing in
/// them can be read back into an address. They do not end; who has one can do this one thing.
/// </summary>
internal sealed class UnsubscribeTokens(AddressHashes hashes, Uri site)
{
    public const string Path = "/unsubscribe";
    private const byte Version = 1;
    private const int GuidBytes = 16;
    private const int MacBytes = 16;
    private const int HeadBytes = 1 + GuidBytes + GuidBytes + AddressHashes.Length;
    private const int KindMaxBytes = 40;

    /// <summary>The address where the site is that LP_PUBLIC_URL names. Throws where it names none.</summary>
    public static Uri SiteOf(IConfiguration configuration) =>
        Uri.TryCreate(configuration["LP_PUBLIC_URL"], UriKind.Absolute, out var site)
            ? site
            : throw new InvalidOperationException("LP_PUBLIC_URL is not set to the address that readers' links have.");

    public Uri LinkOf(Unsubscription wish) => new(site, $"{Path}/{Write(wish)}");

    public string Write(Unsubscription wish)
    {
        byte[] body =
        [
            Version,
            .. wish.MerchantId.Value.ToByteArray(bigEndian: true),
            .. wish.CustomerId.Value.ToByteArray(bigEndian: true),
            .. wish.AddressHash,
            .. Encoding.UTF8.GetBytes(wish.Kind),
        ];
        return Base64Url.EncodeToString([.. body, .. hashes.Sign(body).AsSpan(0, MacBytes)]);
    }

    /// <summary>False for anything that was not made here.</summary>
    public bool TryRead(string token, [NotNullWhen(true)] out Unsubscription? wish)
    {
        wish = null;
        var bytes = new byte[HeadBytes + KindMaxBytes + MacBytes];
        if (
            Base64Url.GetMaxDecodedLength(token.Length) > bytes.Length
            || !Base64Url.IsValid(token)
            || !Base64Url.TryDecodeFromChars(token, bytes, out var length)
            || length <= HeadBytes + MacBytes
        )
        {
            return false;
        }

        var body = bytes.AsSpan(0, length - MacBytes);
        var mac = bytes.AsSpan(length - MacBytes, MacBytes);
        if (body[0] != Version || !hashes.IsSigned(body, mac))
        {
            return false;
        }

        wish = new(
            new MerchantId(new Guid(body.Slice(1, GuidBytes), bigEndian: true)),
            new CustomerId(new Guid(body.Slice(1 + GuidBytes, GuidBytes), bigEndian: true)),
            body.Slice(1 + GuidBytes + GuidBytes, AddressHashes.Length).ToArray(),
            Encoding.UTF8.GetString(body[HeadBytes..])
        );
        return true;
    }
}
