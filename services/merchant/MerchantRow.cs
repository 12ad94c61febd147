using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;

namespace LocalPlus.Merchant;

/// <summary>A row of merchants.</summary>
internal sealed record MerchantRow(
    MerchantId MerchantId,
    string Name,
    string Mode,
    string Country,
    string Currency,
    string Locale,
    string ContactEmail,
    string Status,
    string? StatusReason,
    DateTimeOffset? ActivatedAt,
    string Details,
    string? IbanMasked,
    string Settings,
    long Version,
    DateTimeOffset CreatedAt
)
{
    /// <summary>Selected by every slice that shows a merchant.</summary>
    public const string Columns = """
        SELECT m.merchant_id, m.name, m.mode, m.country, m.currency, m.locale, m.contact_email, m.status,
               m.status_reason, m.activated_at, m.details::text AS details, m.iban_masked,
               m.settings::text AS settings, m.version, m.created_at
          FROM merchants m
        """;

    public MerchantStatus Standing => Statuses.Parse(Status);

    public MerchantView ToView()
    {
        var details = MerchantDetails.Read(Details);
        return new(
            MerchantId,
            "merchant",
            Name,
            Mode,
            Country,
            Kernel.Currency.Parse(Currency),
            Locale,
            ContactEmail,
            details.LegalName,
            details.Address,
            details.VatId,
            IbanMasked,
            details.Contacts,
            details.SupportEmail,
            details.TimeZone,
            MerchantSettings.Read(Settings),
            Standing,
            StatusReason,
            CreatedAt,
            ActivatedAt
        );
    }
}

/// <summary>The states of a merchant's life as SQL has them.</summary>
internal static class Statuses
{
    public static string Text(MerchantStatus status) =>
        status switch
        {
            MerchantStatus.Draft => "draft",
            MerchantStatus.Review => "review",
            MerchantStatus.Active => "active",
            MerchantStatus.Suspended => "suspended",
            _ => "closed",
        };

    public static MerchantStatus Parse(string text) => Enum.GetValues<MerchantStatus>().Single(s => Text(s) == text);
}
