using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;
using LocalPlus.Merchant.Keys;

namespace LocalPlus.Merchant;

/// <summary>
/// A merchant as itself and operators see it. <paramref name="ApiKey"/> comes with the onboarding only.
/// </summary>
/// <param name="Iban">Masked: its country and last four characters.</param>
/// <param name="SupportEmail">Where the merchant's own customers turn to.</param>
/// <param name="StatusReason">Why an operator declined, suspended, resumed or closed it.</param>
/// <param name="ActivatedAt">When it could first sell.</param>
internal sealed record MerchantView(
    MerchantId Id,
    string Object,
    string Name,
    string Mode,
    string Country,
    Currency Currency,
    string Locale,
    string ContactEmail,
    string? LegalName,
    PostalAddress? Address,
    string? VatId,
    string? Iban,
    IReadOnlyList<Contact>? Contacts,
    string? SupportEmail,
    string? TimeZone,
    MerchantSettings Settings,
    MerchantStatus Status,
    string? StatusReason,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ActivatedAt,
    ApiKeyView? ApiKey = null
);

/// <summary>The two modes of a merchant: a sandbox, or a business whose money is real.</summary>
internal static class Modes
{
    public const string Live = "live";
    public const string Test = "test";
}

/// <summary>The languages that LocalPlus writes to people in.</summary>
internal static class Locales
{
    public const string English = "en";
    public const string French = "fr";

    /// <summary>The language a merchant is written to in, unless it says so itself.</summary>
    public static string Of(string country) => country is "FR" or "MC" ? French : English;
}
