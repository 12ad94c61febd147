using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// POST /v1/terminals/{id}/offline_batches: what a till took while it was offline. Each item takes from its card what
/// is there; the rest is posted from the merchant's receivable to its payable, never to a negative card. Items are
/// known by their place in the allowance's chain, so a batch, or any part of it, may be sent again for ever and needs
/// no Idempotency-Key. Items beyond the caps or after the end are refused alone. Refusals: offline_allowance_invalid,
/// offline_gap, offline_chain_broken, invalid_request.
/// </summary>
internal static class UploadBatch
{
    public static IEndpointRouteBuilder MapUploadBatch(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/terminals/{id}/offline_batches", HandleAsync)
            .RequireScope("redemptions:write")
            .WorksAcrossMerchants()
            .OpenTo(MerchantStatus.Suspended)
            .Refuses(Faults.OfflineAllowanceInvalid, Faults.OfflineGap, Faults.OfflineChainBroken)
            .WithName(nameof(UploadBatch))
            .Produces<View>();
        return group;
    }

    internal sealed record Request(string Allowance, IReadOnlyList<OfflineItem> Items);

    internal sealed record View(
        OfflineAllowanceId AllowanceId,
        TerminalId TerminalId,
        IReadOnlyList<OfflineItemOutcome> Items
    )
    {
        public string Object { get; } = "offline_batch";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        TerminalId id,
        Request request,
        AllowanceSigner signer,
        OfflineIntake intake,
        OfflineDriver driver,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        Check(request);
        var merchant = http.GetMerchant().MerchantId;
        var claims = signer.Verify(request.Allowance);
        if (claims is null || claims.Merchant != merchant || claims.Sub != id)
        {
            throw new FaultException(Faults.OfflineAllowanceInvalid, "The allowance is not one of this terminal.");
        }

        var start = time.GetTimestamp();
        await intake.CheckChainAsync(claims.Jti, request.Items, cancel);
        var done = new List<OfflineItemOutcome>();
        foreach (var item in request.Items)
        {
            var row = await intake.AcceptAsync(http.GetMerchant(), claims, item, CancellationToken.None);
            // What does not fit into the answer's time is taken all the same, and carried out by the sweeper.
            if (row.State == "pending" && time.GetElapsedTime(start) < GiftcardLimits.BatchTime)
            {
                row = await driver.TryDriveAsync(row, CancellationToken.None);
            }

            done.Add(row.ToView());
        }

        return Answer.Ok(new View(claims.Jti, id, done));
    }

    private static void Check(Request request)
    {
        var checks = new FieldChecks()
            .Text(request.Allowance, "/allowance", GiftcardLimits.AllowanceLength)
            .Require(request.Items.Count is > 0 and <= GiftcardLimits.OfflineItemsPerBatch, "/items");
        for (var i = 0; i < request.Items.Count; i++)
        {
            request.Items[i].Check(checks, i);
            checks.Require(
                i == 0 || request.Items[i].Counter == request.Items[i - 1].Counter + 1,
                $"/items/{i}/counter",
                "not_consecutive"
            );
        }

        checks.ThrowIfAny();
    }
}
