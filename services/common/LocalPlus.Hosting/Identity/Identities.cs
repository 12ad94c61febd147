using System.Net;
using System.Security.Claims;
using System.Text.Json;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// Who calls: the merchant behind an API key or a person's token. <paramref name="Live"/> is false for test merchants.
/// </summary>
/// <param name="KeyId">The key's; of a person an id of the same kind that is its own.</param>
public sealed record MerchantIdentity(MerchantId MerchantId, ApiKeyId KeyId, bool Live, IReadOnlySet<string> Scopes)
{
    public MerchantStatus Status { get; init; } = MerchantStatus.Active;

    /// <summary>Which of the merchant's people it is, whose token was shown; null: it is an API key.</summary>
    public string? Person { get; init; }

    /// <summary>From where the key may be used; empty: from anywhere.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    /// <summary>From where this request came; null: from no connection.</summary>
    public IPAddress? From { get; init; }

    /// <summary>When the key ends by itself; null: it does not.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>How the merchant wants things done, in the words of who reads them; null: as everybody.</summary>
    public JsonElement? Settings { get; init; }
}

/// <summary>Who calls: an operator, with the highest role of viewer, operator, admin that the token carries.</summary>
public sealed record OperatorIdentity(string Subject, string Role);

/// <summary>Verifies API keys. The merchant service answers from its table, every other service asks it.</summary>
public interface IApiKeyVerifier
{
    /// <summary>The identity behind the key, or null for a key that is unknown, revoked or expired.</summary>
    /// <param name="from">Where it is used, for the note of its last use; whether it may be is asked elsewhere.</param>
    ValueTask<MerchantIdentity?> VerifyAsync(string key, IPAddress? from, CancellationToken cancel);
}

/// <summary>A way to another service that requests here depend on.</summary>
internal interface IPeerPath
{
    /// <summary>Null when the other service itself has answered; else what is wrong.</summary>
    Task<string?> ProbeAsync(CancellationToken cancel);
}

/// <summary>Who sent a request.</summary>
public static class Identities
{
    /// <summary>The merchant of a request that passed the merchant policy.</summary>
    public static MerchantIdentity GetMerchant(this HttpContext http) =>
        http.Items[typeof(MerchantIdentity)] as MerchantIdentity
        ?? throw new FaultException(CommonFaults.Unauthenticated, "Send an API key.");

    /// <summary>The operator of a request that passed one of the operators' policies.</summary>
    public static OperatorIdentity GetOperator(this HttpContext http) =>
        http.User.FindFirstValue("sub") is { } subject && http.User.FindFirstValue(OperatorClaims.Role) is { } role
            ? new OperatorIdentity(subject, role)
            : throw new FaultException(CommonFaults.Unauthenticated, "Send an operator's token.");
}
