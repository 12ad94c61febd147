using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Holds;

/// <summary>GET /v1/accounts/holds/{id}.</summary>
internal static class GetHold
{
    public static IEndpointRouteBuilder MapGetHold(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/holds/{id}", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetHold))
            .Produces<HoldView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HoldId id,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var hold = await HoldReader.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        return Answer.Ok(HoldView.Of(hold, null), hold.Progress.Version);
    }
}
