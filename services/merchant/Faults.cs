using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// The refusals that only this service makes, in order of precedence; the shared ones are in CommonFaults.
/// </summary>
internal static class Faults
{
    public static readonly Fault ApiKeyInvalid = new("api_key_invalid", 404, "The API key is nobody's");
    public static readonly Fault MerchantState = new(
        "merchant_state",
        409,
        "The merchant is not where this step begins"
    );
    public static readonly Fault MerchantIncomplete = new(
        "merchant_incomplete",
        422,
        "The merchant lacks what a review needs"
    );
    public static readonly Fault TeamMemberExists = new("team_member_exists", 409, "The person is in the team already");
    public static readonly Fault LastOwner = new("last_owner", 409, "A team that has an owner keeps one");
    public static readonly Fault TooManyTeamMembers = new(
        "too_many_team_members",
        422,
        "The team has as many members as it may"
    );
    public static readonly Fault ApiKeyNotActive = new("api_key_not_active", 409, "The API key is revoked or expired");
    public static readonly Fault ApiKeyAlreadyRotated = new(
        "api_key_already_rotated",
        409,
        "The API key has a successor"
    );
    public static readonly Fault TooManyApiKeys = new(
        "too_many_api_keys",
        422,
        "The merchant has as many active API keys as it may"
    );
}
