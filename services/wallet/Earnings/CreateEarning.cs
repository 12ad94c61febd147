using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// POST /v1/earnings: a purchase of a member earns, at once or when it has waited until <c>release_at</c>, or until its
/// programme's return window is over. Its reference is the merchant's own and counts once for ever, whatever key it
/// comes with: a till that was offline may tell it late and twice, and it is judged by the rules of its time. Refusals:
/// not_found, member_state, program_state, not_earned_here, currency_mismatch, reference_reused, invalid_request.
/// </summary>
internal static class CreateEarning
{
    internal sealed record Request(
        MemberId MemberId,
        string Reference,
        Money Amount,
        IReadOnlyList<BasketLine>? Lines = null,
        LocationId? LocationId = null,
        DateTimeOffset? OccurredAt = null,
        DateTimeOffset? ReleaseAt = null
    );

    public static IEndpointRouteBuilder MapCreateEarning(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/earnings", HandleAsync)
            .RequireScope("earnings:write")
            .RequireIdempotencyKey()
            .Refuses(
                CommonFaults.NotFound,
                CommonFaults.ReferenceReused,
                Faults.CurrencyMismatch,
                Faults.MemberState,
                Faults.NotEarnedHere,
                Faults.ProgramState
            )
            .WithName(nameof(CreateEarning))
            .Produces<EarningView>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        LocationOwnership locations,
        EarningCounter counter,
        LedgerCommands commands,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var now = time.GetUtcNow();
        new FieldChecks()
            .Text(request.Reference, "/reference", LoyaltyLimits.ReferenceLength)
            .Purchase(request.Amount, request.Lines)
            .Occurred(request.OccurredAt, now)
            .Require(
                request.ReleaseAt is not { } release || (release > now && release <= now + LoyaltyLimits.PendingMax),
                "/release_at"
            )
            .ThrowIfAny();
        if (request.LocationId is { } location)
        {
            await locations.RequireAsync(merchant.MerchantId, location, "/location_id", cancel);
        }

        var (answer, unbooked) = await counter.CountAsync(http, request, cancel);
        await commands.TryAsync(unbooked ?? [], cancel);
        return answer;
    }
}
