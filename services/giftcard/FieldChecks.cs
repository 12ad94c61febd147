using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>Collects everything that is wrong with a body, so that its sender learns it at once.</summary>
internal sealed class FieldChecks
{
    private readonly List<FieldError> errors = [];

    public FieldChecks Require(bool holds, string pointer, string code = "out_of_range")
    {
        if (!holds)
        {
            errors.Add(new FieldError(pointer, code));
        }

        return this;
    }

    public FieldChecks Text(string? value, string pointer, int maxLength) =>
        Require(value is null || value.Length is > 0 && value.Length <= maxLength, pointer, "length");

    public FieldChecks Positive(Money? value, string pointer) => Require(value is null or { MinorUnits: > 0 }, pointer);

    /// <summary>An address that a browser loads a picture from.</summary>
    public FieldChecks WebAddress(string? value, string pointer) => Require(
        value is null || value.Length is > 0 and <= GiftcardLimits.AddressLength
        && Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps,
        pointer,
        "invalid");

    /// <summary>Merchants of a coalition; the issuer itself owes itself no commission and is not named.</summary>
    public FieldChecks Acceptances(IReadOnlyList<Programs.Acceptance>? merchants, MerchantId issuer) => Require(
            merchants is null || merchants.Count <= GiftcardLimits.AcceptancesPerProgram, "/accepted_at")
        .Require(merchants is null || merchants.All(a => a.CommissionBasisPoints is >= 0 and <= 10_000), "/accepted_at")
        .Require(merchants is null || merchants.All(a => a.MerchantId != issuer), "/accepted_at", "own_merchant");

    public FieldChecks Metadata(IReadOnlyDictionary<string, string>? metadata) => Require(
        metadata is null || metadata.Count <= GiftcardLimits.MetadataKeys
        && metadata.All(m => m.Key.Length is > 0 and <= GiftcardLimits.MetadataValueLength
                             && m.Value.Length <= GiftcardLimits.MetadataValueLength),
        "/metadata",
        "length");

    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The body has fields that are not valid.", [.. errors]);
        }
    }
}

/// <summary>Enum values as they stand in JSON and SQL: snake_case.</summary>
internal static class Wire
{
    public static string Name<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
