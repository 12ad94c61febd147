using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// POST /internal/api_keys/verify, for every service's authentication: who a presented key belongs to. Malformed, unknown,
/// revoked and expired keys get the same 404 not_found.
/// </summary>
internal static class VerifyApiKey
{
    internal sealed record Request(string Key);

    internal sealed record Response(MerchantId MerchantId, ApiKeyId KeyId, bool Live, IEnumerable<string> Scopes);

    public static IEndpointRouteBuilder MapVerifyApiKey(this IEndpointRouteBuilder intern)
    {
        intern.MapPost("/api_keys/verify", HandleAsync);
        return intern;
    }

    private static async Task<IResult> HandleAsync(Request request, ApiKeys keys, CancellationToken cancel) =>
        await keys.VerifyAsync(request.Key, cancel) is { } merchant
            ? Answer.Ok(new Response(merchant.MerchantId, merchant.KeyId, merchant.Live, merchant.Scopes))
            : throw new FaultException(CommonFaults.NotFound, "The API key is not valid.");
}
