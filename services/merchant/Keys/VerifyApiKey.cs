using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// POST /internal/api_keys/verify, for every service's authentication: who a presented key belongs to, or a person
/// whose token the service has verified. Malformed, unknown, revoked and expired keys get the same 404
/// api_key_invalid, a code of its own: the caller must not take for a verdict what a route that is missing or a
/// sidecar answers.
/// </summary>
internal static class VerifyApiKey
{
    internal sealed record Request(string Key);

    /// <param name="ExpiresAt">When the key ends by itself.</param>
    internal sealed record Response(
        MerchantId MerchantId,
        ApiKeyId KeyId,
        bool Live,
        IEnumerable<string> Scopes,
        MerchantStatus Status,
        JsonElement? Settings,
        IEnumerable<string> Networks,
        string? Person,
        DateTimeOffset? ExpiresAt
    );

    public static IEndpointRouteBuilder MapVerifyApiKey(this IEndpointRouteBuilder intern)
    {
        intern
            .MapPost("/api_keys/verify", HandleAsync)
            .CalledBy("analytics", "console", "giftcard", "ledger", "notification", "wallet")
            .Refuses(Faults.ApiKeyInvalid)
            .WithName(nameof(VerifyApiKey))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        ApiKeys keys,
        CancellationToken cancel
    )
    {
        var identity = await keys.VerifyAsync(request.Key, ClientAddress.ToldBy(http), cancel);
        Telemetry.Verified(identity is not null);
        return identity is { } merchant
            ? Answer.Ok(
                new Response(
                    merchant.MerchantId,
                    merchant.KeyId,
                    merchant.Live,
                    merchant.Scopes,
                    merchant.Status,
                    merchant.Settings,
                    merchant.Networks.Select(network => network.ToString()),
                    merchant.Person,
                    merchant.ExpiresAt
                )
            )
            : throw new FaultException(Faults.ApiKeyInvalid, "The API key is not valid.");
    }
}
