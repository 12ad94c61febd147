using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Operators;

/// <summary>
/// POST /ops/v1/merchants/{id}/VERB: what operators do to a merchant, each with a reason that the merchant can read:
/// approve or decline what is under review, suspend and resume; administrators close. Refusals: not_found,
/// merchant_state, invalid_request (reason missing).
/// </summary>
internal static class DecideMerchant
{
    private const int MinReason = 3;
    private const int MaxReason = 500;

    internal sealed record Request(string Reason);

    public static IEndpointRouteBuilder MapDecideMerchant(this IEndpointRouteBuilder ops)
    {
        Map(ops, "approve", "operator", MerchantLifeCycle.Approve);
        Map(ops, "decline", "operator", MerchantLifeCycle.Decline);
        Map(ops, "suspend", "operator", MerchantLifeCycle.Suspend).RequireStepUp();
        Map(ops, "resume", "operator", MerchantLifeCycle.Resume);
        Map(ops, "close", "admin", MerchantLifeCycle.Close).RequireStepUp();
        return ops;
    }

    private static RouteHandlerBuilder Map(
        IEndpointRouteBuilder ops,
        string verb,
        string role,
        MerchantLifeCycle.Step step
    ) =>
        ops.MapPost(
                $"/merchants/{{id}}/{verb}",
                (
                    HttpContext http,
                    MerchantId id,
                    Request request,
                    IdempotentRequests idempotent,
                    MerchantCopies copies,
                    KeyBroadcast broadcast,
                    ILogger<ServiceIdentity> log,
                    CancellationToken cancel
                ) =>
                {
                    new FieldChecks()
                        .Text(request.Reason, "/reason", MaxReason)
                        .Require(request.Reason.Trim().Length >= MinReason, "/reason", "too_short")
                        .ThrowIfAny();
                    var (actor, reason) = (Actor.OperatorOf(http), request.Reason.Trim());
                    return idempotent.ExecuteAsync(
                        http,
                        request,
                        async db =>
                        {
                            var merchant = await MerchantLifeCycle.TakeAsync(db, id, step, actor, reason, log);
                            copies.DropWith(db, merchant);
                            broadcast.TellWith(db, KeyNews.Changed(id, step.To));
                            return Answer.Ok(merchant.ToView(), merchant.Version);
                        },
                        cancel
                    );
                }
            )
            .RequireRole(role)
            .RequireIdempotencyKey()
            .Refuses(Faults.MerchantState)
            .Audit($"merchant.{verb}")
            .WithName($"{char.ToUpperInvariant(verb[0])}{verb[1..]}Merchant")
            .Produces<MerchantView>();
}
