using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>The operation is limited by itself, beside all that its caller asks for.</summary>
public sealed record LimitedBy(RateLimit Limit);

/// <summary>
/// Counts requests of known callers, by who they are and by what the endpoint says it is: neither the path's spelling
/// nor another key of the same merchant makes a difference. RateLimit-Policy and RateLimit say in each answer what the
/// limits are and what is left (draft-ietf-httpapi-ratelimit-headers); who is beyond is refused with quota_exceeded.
/// </summary>
internal sealed class RateLimitGate(RequestDelegate next, RateLimits limits)
{
    private const string PolicyHeader = "RateLimit-Policy";
    private const string LeftHeader = "RateLimit";

    public Task InvokeAsync(HttpContext http)
    {
        var operation = http.GetEndpoint()?.Metadata.GetMetadata<LimitedBy>()?.Limit;
        if (http.Items[typeof(MerchantIdentity)] is MerchantIdentity caller)
        {
            return OfMerchantAsync(http, caller, operation);
        }

        return operation is not null && http.User.FindFirstValue("sub") is { } subject
            ? OfOperatorAsync(http, operation, subject)
            : next(http);
    }

    /// <summary>The narrow before the wide: what is refused by one counts for none after it.</summary>
    private async Task OfMerchantAsync(HttpContext http, MerchantIdentity caller, RateLimit? operation)
    {
        var merchant = RateLimits.Subject(caller.MerchantId.Value);
        var ofOperation = default(Taking);
        if (operation is not null)
        {
            ofOperation = await limits.TakeAsync(operation, merchant, http.RequestAborted);
            if (!ofOperation.IsTaken)
            {
                await RefuseAsync(http, operation, ofOperation);
                return;
            }
        }

        var key = RateLimits.Subject(caller.KeyId.Value);
        var ofKey = await limits.TakeAsync(RateLimit.Key, key, http.RequestAborted);
        if (!ofKey.IsTaken)
        {
            await RefuseAsync(http, RateLimit.Key, ofKey);
            return;
        }

        var ofMerchant = await limits.TakeAsync(RateLimit.Merchant, merchant, http.RequestAborted);
        if (!ofMerchant.IsTaken)
        {
            await RefuseAsync(http, RateLimit.Merchant, ofMerchant);
            return;
        }

        Say(http, operation, ofOperation, ofKey, ofMerchant);
        await next(http);
    }

    private async Task OfOperatorAsync(HttpContext http, RateLimit operation, string subject)
    {
        var taking = await limits.TakeAsync(operation, RateLimits.Subject(subject), http.RequestAborted);
        if (!taking.IsTaken)
        {
            await RefuseAsync(http, operation, taking);
            return;
        }

        Say(http, limits.Of(operation).Policy, Left(operation, taking));
        await next(http);
    }

    private Task RefuseAsync(HttpContext http, RateLimit limit, Taking taking)
    {
        Say(http, limits.Of(limit).Policy, Left(limit, taking));
        return Problems.WriteAsync(http, limits.Refusal(limit, taking));
    }

    private void Say(HttpContext http, RateLimit? operation, Taking ofOperation, Taking ofKey, Taking ofMerchant)
    {
        var policy = $"{limits.Of(RateLimit.Key).Policy}, {limits.Of(RateLimit.Merchant).Policy}";
        var left = $"{Left(RateLimit.Key, ofKey)}, {Left(RateLimit.Merchant, ofMerchant)}";
        if (operation is null)
        {
            Say(http, policy, left);
        }
        else
        {
            Say(http, $"{policy}, {limits.Of(operation).Policy}", $"{left}, {Left(operation, ofOperation)}");
        }
    }

    /// <summary>Said when the answer begins: what the edge makes of a failure takes back what was said.</summary>
    private static void Say(HttpContext http, string policy, string left) =>
        http.Response.OnStarting(() =>
        {
            http.Response.Headers[PolicyHeader] = policy;
            http.Response.Headers[LeftHeader] = left;
            return Task.CompletedTask;
        });

    private static string Left(RateLimit limit, Taking taking) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{limit.Name}\";r={taking.Left};t={RateLimits.Seconds(taking)}");
}

/// <summary>Says which limits an endpoint has of its own.</summary>
public static class RateLimitConventions
{
    /// <summary>The endpoint is limited by this, beside what limits its caller.</summary>
    public static TBuilder Limited<TBuilder>(this TBuilder builder, RateLimit limit)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new LimitedBy(limit));
}
