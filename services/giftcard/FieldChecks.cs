using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>What this service checks of bodies beside what every service does.</summary>
internal static class GiftcardChecks
{
    /// <summary>An address that a browser loads a picture from.</summary>
    public static FieldChecks WebAddress(this FieldChecks checks, string? value, string pointer) =>
        checks.Require(
            value is null
                || value.Length is > 0 and <= GiftcardLimits.AddressLength
                    && Uri.TryCreate(value, UriKind.Absolute, out var address)
                    && address.Scheme == Uri.UriSchemeHttps,
            pointer,
            "invalid"
        );

    /// <summary>Merchants of a coalition; the issuer itself owes itself no commission and is not named.</summary>
    public static FieldChecks Acceptances(
        this FieldChecks checks,
        IReadOnlyList<Programs.AcceptanceRequest>? merchants,
        MerchantId issuer
    ) =>
        checks
            .Require(merchants is null || merchants.Count <= GiftcardLimits.AcceptancesPerProgram, "/accepted_at")
            .Require(
                merchants is null || merchants.All(a => a.CommissionBasisPoints is >= 0 and <= 10_000),
                "/accepted_at"
            )
            .Require(merchants is null || merchants.All(a => a.MerchantId != issuer), "/accepted_at", "own_merchant");

    public static FieldChecks Metadata(this FieldChecks checks, IReadOnlyDictionary<string, string>? metadata) =>
        checks.Require(
            metadata is null
                || metadata.Count <= GiftcardLimits.MetadataKeys
                    && metadata.All(m =>
                        m.Key.Length is > 0 and <= GiftcardLimits.MetadataValueLength
                        && m.Value.Length <= GiftcardLimits.MetadataValueLength
                    ),
            "/metadata",
            "length"
        );
}

/// <summary>Enum values as they stand in JSON and SQL: snake_case.</summary>
internal static class Wire
{
    public static string Name<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
