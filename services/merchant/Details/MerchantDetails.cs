using System.Text.Json;
using System.Text.RegularExpressions;
using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Details;

/// <summary>What a merchant says of itself; kept as one document, as only people read it.</summary>
/// <param name="VatId">In its compact form, with the country in front.</param>
/// <param name="SupportEmail">Where the merchant's own customers turn to; mails show it.</param>
/// <param name="TimeZone">An IANA name, such as Europe/Paris.</param>
internal sealed record MerchantDetails(
    string? LegalName = null,
    PostalAddress? Address = null,
    string? VatId = null,
    IReadOnlyList<Contact>? Contacts = null,
    string? SupportEmail = null,
    string? TimeZone = null
)
{
    public static MerchantDetails Read(string json) =>
        JsonSerializer.Deserialize<MerchantDetails>(json, StrictJson.Lenient)!;

    public string Write() => JsonSerializer.Serialize(this, StrictJson.Options);
}

/// <summary>An address of a business, in its merchant's country unless it names another one.</summary>
internal sealed record PostalAddress(
    string Line1,
    string PostalCode,
    string City,
    string? Line2 = null,
    string? Country = null
);

/// <summary>What a contact of the business is for.</summary>
internal enum ContactRole
{
    Finance,
    Legal,
    Operations,
    Technical,
}

/// <summary>An address of the business for one purpose.</summary>
internal sealed record Contact(ContactRole Role, string Email);

/// <summary>The rules of what a merchant says of itself.</summary>
internal static partial class DetailChecks
{
    public const int MaxContacts = 10;
    private const int AddressLine = 200;
    private const int PostalCodeLength = 20;
    private const int TimeZoneLength = 60;

    /// <summary>An address, if there is one.</summary>
    public static FieldChecks Address(this FieldChecks checks, PostalAddress? address, string pointer = "/address") =>
        address is null
            ? checks
            : checks
                .Text(address.Line1, $"{pointer}/line1", AddressLine)
                .Text(address.Line2, $"{pointer}/line2", AddressLine)
                .Text(address.PostalCode, $"{pointer}/postal_code", PostalCodeLength)
                .Text(address.City, $"{pointer}/city", AddressLine)
                .Country(address.Country, $"{pointer}/country");

    /// <summary>ISO 3166-1 alpha-2; null is for whoever else requires it.</summary>
    public static FieldChecks Country(this FieldChecks checks, string? country, string pointer) =>
        checks.Require(
            country is null or { Length: 2 } && (country ?? "").All(char.IsAsciiLetterUpper),
            pointer,
            "invalid"
        );

    /// <summary>An IANA name of a time zone that this system knows.</summary>
    public static FieldChecks TimeZone(this FieldChecks checks, string? name, string pointer = "/time_zone") =>
        checks.Require(
            name is null
                || (
                    name.Length <= TimeZoneLength
                    && IanaName().IsMatch(name)
                    && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _)
                ),
            pointer,
            "unknown_time_zone"
        );

    public static FieldChecks Contacts(this FieldChecks checks, IReadOnlyList<Contact>? contacts)
    {
        checks.Require(contacts is null or { Count: <= MaxContacts }, "/contacts", "too_long");
        foreach (var (n, contact) in (contacts ?? []).Take(MaxContacts).Index())
        {
            checks.Email(contact.Email, $"/contacts/{n}/email");
        }

        return checks;
    }

    [GeneratedRegex(@"^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+\-]+){1,2})\z")]
    private static partial Regex IanaName();
}
