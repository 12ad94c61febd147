using LocalPlus.Kernel;
using LocalPlus.Merchant.Team;

namespace LocalPlus.Merchant;

/// <summary>The merchant service's log events, ids 3000-3999.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Information, "merchant {MerchantId} onboarded", EventName = "merchant.onboarded")]
    public static partial void MerchantOnboarded(this ILogger log, MerchantId merchantId);

    [LoggerMessage(
        3001,
        LogLevel.Information,
        "API key {KeyId} of {MerchantId} issued",
        EventName = "merchant.api_key.issued"
    )]
    public static partial void ApiKeyIssued(this ILogger log, ApiKeyId keyId, MerchantId merchantId);

    [LoggerMessage(
        3002,
        LogLevel.Information,
        "API key {KeyId} of {MerchantId} revoked",
        EventName = "merchant.api_key.revoked"
    )]
    public static partial void ApiKeyRevoked(this ILogger log, ApiKeyId keyId, MerchantId merchantId);

    [LoggerMessage(
        3003,
        LogLevel.Information,
        "merchant {MerchantId} is at version {Version}: {Action}",
        EventName = "merchant.changed"
    )]
    public static partial void MerchantChanged(this ILogger log, MerchantId merchantId, long version, string action);

    [LoggerMessage(
        3004,
        LogLevel.Information,
        "team of {MerchantId}: {TeamMemberId} {Action}",
        EventName = "merchant.team.changed"
    )]
    public static partial void TeamChanged(
        this ILogger log,
        MerchantId merchantId,
        TeamMemberId teamMemberId,
        string action
    );
}
