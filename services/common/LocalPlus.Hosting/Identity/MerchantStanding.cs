using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>Where a merchant is in its life: it begins as a draft or at once active, and ends closed.</summary>
public enum MerchantStatus
{
    Draft,
    Review,
    Active,
    Suspended,
    Closed,
}

/// <summary>The endpoint also serves merchants that are not active but one of these.</summary>
public sealed record OpenTo(IReadOnlyList<MerchantStatus> Others)
{
    /// <summary>Refusals of whoever is not active, in order of precedence.</summary>
    private static readonly (Fault Fault, MerchantStatus[] For, string Detail)[] Refusals =
    [
        (
            CommonFaults.MerchantNotActive,
            [MerchantStatus.Draft, MerchantStatus.Review],
            "The merchant is not active yet: it can be set up, and read."
        ),
        (
            CommonFaults.MerchantSuspended,
            [MerchantStatus.Suspended],
            "The merchant is suspended: what it holds can be captured or released, and everything be read."
        ),
        (
            CommonFaults.MerchantClosed,
            [MerchantStatus.Closed],
            "The merchant is closed: what it owes can be given back, and everything be read."
        ),
    ];

    internal static OpenTo None { get; } = new OpenTo([]);

    /// <summary>What an endpoint refuses merchants with that are not active.</summary>
    internal IEnumerable<Fault> Faults =>
        Refusals.Where(refusal => refusal.For.Except(Others).Any()).Select(refusal => refusal.Fault);

    internal void Check(MerchantStatus status)
    {
        if (status == MerchantStatus.Active || Others.Contains(status))
        {
            return;
        }

        var (fault, _, detail) = Refusals.Single(refusal => refusal.For.Contains(status));
        throw new FaultException(fault, detail);
    }
}

/// <summary>
/// What a good key may not: be used from elsewhere than its networks, or write for a merchant that is not active,
/// unless the endpoint says that it is open to it. Both come with the verdict on the key, so they are known here within
/// <see cref="RemoteApiKeyVerifier.Lifetime"/>, and that a merchant may less than before also while the one who gives
/// verdicts is away (<see cref="KeyNews"/>).
/// </summary>
internal sealed class MerchantStanding(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.Items[typeof(MerchantIdentity)] is not MerchantIdentity merchant)
        {
            return next(http);
        }

        if (
            merchant.Networks.Count > 0
            && !(ClientAddress.Of(http) is { } from && merchant.Networks.Any(network => network.Contains(from)))
        )
        {
            throw new FaultException(CommonFaults.NetworkNotAllowed, "The API key may not be used from here.");
        }

        if (http.GetEndpoint() is { } endpoint && !HttpMethods.IsGet(http.Request.Method))
        {
            (endpoint.Metadata.GetMetadata<OpenTo>() ?? OpenTo.None).Check(merchant.Status);
        }

        return next(http);
    }
}

/// <summary>Says which merchants a write serves beside the active ones; reads serve all.</summary>
public static class MerchantStandingConventions
{
    /// <summary>The endpoint also serves merchants of these states.</summary>
    public static TBuilder OpenTo<TBuilder>(this TBuilder builder, params MerchantStatus[] others)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new OpenTo(others));
}
