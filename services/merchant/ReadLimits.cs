using LocalPlus.Hosting;

namespace LocalPlus.Merchant;

/// <summary>
/// GET /v1/merchants/me/limits: how often a merchant may ask, at each service (ADR 0034). What is left of a limit is in
/// the header RateLimit of every answer; how often a card or terminal may redeem is in the merchant's settings.
/// </summary>
internal static class ReadLimits
{
    /// <param name="Name">As the headers RateLimit-Policy and RateLimit and refusals name it.</param>
    /// <param name="Per">Whose requests count together: api_key, merchant or address.</param>
    /// <param name="Quota">So many in any window.</param>
    internal sealed record LimitView(string Object, string Name, CountedPer Per, long Quota, long WindowSeconds);

    public static IEndpointRouteBuilder MapReadLimits(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/merchants/me/limits", (RateLimits limits) => Answer.Ok(ViewOf(limits)))
            .RequireScope("merchants:read")
            .WithName(nameof(ReadLimits))
            .Produces<Page<LimitView>>();
        return group;
    }

    private static Page<LimitView> ViewOf(RateLimits limits) =>
        new(
            [
                .. limits
                    .All.Where(limit => limit.Per != CountedPer.Operator)
                    .Select(limit => new LimitView(
                        "rate_limit",
                        limit.Name,
                        limit.Per,
                        limit.Quota,
                        (long)limit.Window.TotalSeconds
                    )),
            ],
            NextCursor: null,
            HasMore: false
        );
}
