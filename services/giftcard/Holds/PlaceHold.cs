using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Holds;

/// <summary>
/// POST /v1/holds: reserves value on gift cards, as POST /v1/redemptions with mode two_phase does and with its
/// refusals.
/// </summary>
internal static class PlaceHold
{
    public static IEndpointRouteBuilder MapPlaceHold(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/holds", HandleAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.OfRedemptions)
            .WithName(nameof(PlaceHold))
            .Produces<HoldView>(StatusCodes.Status201Created);
        return group;
    }

    internal sealed record Request(
        Money Amount,
        IReadOnlyList<SourceRequest> Sources,
        Partial? Partial = null,
        LocationId? LocationId = null,
        TerminalId? TerminalId = null,
        int? TtlSeconds = null,
        string? Reference = null,
        IReadOnlyDictionary<string, string>? Metadata = null
    );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        CreateRedemption.Creation creation,
        CancellationToken cancel
    ) =>
        HoldView.Of(
            await creation.RedeemAsync(
                http,
                new(
                    Mode.TwoPhase,
                    request.Amount,
                    request.Sources,
                    request.Partial,
                    request.LocationId,
                    request.TerminalId,
                    request.TtlSeconds,
                    request.Reference,
                    request.Metadata
                ),
                cancel
            )
        );
}
