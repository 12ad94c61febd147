using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Members;

/// <summary>What is checked of how a person is named.</summary>
internal static class MemberChecks
{
    public static FieldChecks Phone(this FieldChecks checks, string? phone, string pointer) =>
        checks.Require(
            phone is null || phone.Length <= LoyaltyLimits.PhoneInputLength && PhoneNumber.Parse(phone) is not null,
            pointer,
            "invalid"
        );

    public static FieldChecks Card(this FieldChecks checks, string? number, string pointer) =>
        checks.Require(
            number is null || number.Length <= LoyaltyLimits.CardInputLength && MemberCard.Parse(number) is not null,
            pointer,
            "invalid"
        );
}
