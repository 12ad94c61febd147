using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Details;

/// <summary>
/// PATCH /v1/merchants/me with If-Match: what a merchant says of itself, and how it wants its redemptions. Members that
/// are not sent stay; a list, an address or settings that are sent replace the old ones. Each change is a version; the
/// IBAN is encrypted and shown masked from then on. While an operator reviews the merchant nothing of it changes.
/// Refusals: if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeMerchant
{
    /// <param name="VatId">Checked by the rules of the merchant's country.</param>
    /// <param name="Iban">Checked by its country's length and its checksum.</param>
    internal sealed record Request(
        string? Name = null,
        string? Locale = null,
        string? ContactEmail = null,
        string? LegalName = null,
        PostalAddress? Address = null,
        string? VatId = null,
        string? Iban = null,
        IReadOnlyList<Contact>? Contacts = null,
        string? SupportEmail = null,
        string? TimeZone = null,
        MerchantSettings? Settings = null
    );

    public static IEndpointRouteBuilder MapChangeMerchant(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/merchants/me", HandleAsync)
            .RequireScope("merchants:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Suspended)
            .RequireIfMatch()
            .Audit("merchant.change")
            .WithName(nameof(ChangeMerchant))
            .Produces<MerchantView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        Database database,
        MerchantCopies copies,
        IbanSeal seal,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        var version = http.RequireIfMatch();
        Check(request);
        await using var db = await database.BeginAsync(cancel);
        var row = await db.QuerySingleAsync<MerchantRow>(Sql.Lock, new { http.GetMerchant().MerchantId });
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The merchant's version is {row.Version}.");
        }

        var changed = Apply(row, request);
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                changed.MerchantId,
                changed.Name,
                changed.Locale,
                changed.ContactEmail,
                changed.Details,
                changed.IbanMasked,
                changed.Settings,
                IbanSealed = Iban.TryParse(request.Iban, out var iban) ? seal.Seal(row.MerchantId, iban) : null,
                changed.Version,
            }
        );
        await MerchantVersions.AddAsync(db, changed, new("changed", Actor.MerchantOf(http)), log);
        copies.DropWith(db, changed);
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static MerchantRow Apply(MerchantRow row, Request request)
    {
        string? vatId = null;
        new FieldChecks()
            .Require(
                request.VatId is null || VatId.TryParse(request.VatId, row.Country, out vatId),
                "/vat_id",
                VatId.Knows(row.Country) ? "invalid" : "unknown_country"
            )
            .Require(
                (request.Settings?.VelocityLimits ?? []).All(limit =>
                    limit.Amount is null || limit.Amount.Value.Currency.Code == row.Currency
                ),
                "/settings/velocity_limits",
                "other_currency"
            )
            .ThrowIfAny();
        var details = MerchantDetails.Read(row.Details);
        return row with
        {
            Name = request.Name?.Trim() ?? row.Name,
            Locale = request.Locale ?? row.Locale,
            ContactEmail = Ascii(request.ContactEmail) ?? row.ContactEmail,
            Details = new MerchantDetails(
                request.LegalName?.Trim() ?? details.LegalName,
                request.Address ?? details.Address,
                vatId ?? details.VatId,
                request.Contacts is { } contacts
                    ? [.. contacts.Select(contact => contact with { Email = Ascii(contact.Email)! })]
                    : details.Contacts,
                Ascii(request.SupportEmail) ?? details.SupportEmail,
                request.TimeZone ?? details.TimeZone
            ).Write(),
            IbanMasked = Iban.TryParse(request.Iban, out var iban) ? iban.Masked : row.IbanMasked,
            Settings = request.Settings?.Write() ?? row.Settings,
            Version = row.Version + 1,
        };
    }

    private static string? Ascii(string? email) => EmailAddress.TryParse(email, out var address) ? address : null;

    private static void Check(Request request) =>
        new FieldChecks()
            .Name(request.Name)
            .Require(request.Locale is null or Locales.English or Locales.French, "/locale", "invalid")
            .Email(request.ContactEmail, "/contact_email")
            .Name(request.LegalName, "/legal_name")
            .Address(request.Address)
            .Require(request.VatId is null or { Length: <= VatId.MaxLength }, "/vat_id", "too_long")
            .Require(request.Iban is null || Iban.TryParse(request.Iban, out _), "/iban", "invalid")
            .Contacts(request.Contacts)
            .Email(request.SupportEmail, "/support_email")
            .TimeZone(request.TimeZone)
            .Settings(request.Settings)
            .ThrowIfAny();

    private static class Sql
    {
        public const string Lock = $"{MerchantRow.Columns} WHERE m.merchant_id = @MerchantId FOR NO KEY UPDATE";

        public const string Change = """
            UPDATE merchants
               SET name = @Name, locale = @Locale, contact_email = @ContactEmail, details = @Details::jsonb,
                   iban_masked = @IbanMasked, iban_sealed = coalesce(@IbanSealed, iban_sealed),
                   settings = @Settings::jsonb, version = @Version
             WHERE merchant_id = @MerchantId
            """;
    }
}
