using System.Text.Json;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>What a member could pay with now.</summary>
/// <param name="Pays">In minor units.</param>
internal sealed record PointsOffer(MemberId MemberId, ProgramId ProgramId, Currency Currency, long Points, long Pays);

/// <summary>
/// Members' points, which the wallet keeps. Every change is known there by the redemption or the refund, so it may be
/// asked for again; silence is <see cref="LedgerUnknownException"/>, as the ledger's is.
/// </summary>
internal sealed class WalletPoints(HttpClient wallet)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    /// <summary>
    /// What the member's points would pay of an amount. Refuses with member_not_usable what is no member of the
    /// merchant's own programme in its mode, and with busy when that can not be asked.
    /// </summary>
    public async Task<PointsOffer> QuoteAsync(
        MerchantIdentity merchant,
        MemberId member,
        long maxAmount,
        long? maxPoints,
        CancellationToken cancel
    )
    {
        try
        {
            return await AskAsync<PointsOffer>(
                    "QuotePoints",
                    "/internal/point_quotes",
                    new QuoteRequest(merchant.MerchantId, merchant.Live, member, maxAmount, maxPoints),
                    cancel
                ) ?? throw NotUsable();
        }
        catch (LedgerUnknownException)
        {
            throw new FaultException(CommonFaults.Busy, "The member's points can not be looked at at the moment.");
        }
    }

    /// <summary>The points of a redemption, reserved now or before. Refuses with member_not_usable.</summary>
    public async Task<ReservedPoints> HoldAsync(RedemptionRow row, PointsPart points, CancellationToken cancel)
    {
        var held =
            await AskAsync<HoldResponse>(
                "HoldPoints",
                "/internal/point_holds",
                new HoldRequest(
                    row.Id,
                    row.Books.BooksMerchantId,
                    points.PointsLive,
                    points.MemberId,
                    points.PointsMaxAmount,
                    points.MaxPoints
                ),
                cancel
            ) ?? throw NotUsable();
        return new(held.Points, held.Pays, held.AccountId);
    }

    /// <summary>Tells what a redemption has taken of what its points pay; the rest comes back.</summary>
    public async Task<PointsSettled> SettleAsync(
        RedemptionId id,
        MerchantId books,
        long captured,
        CancellationToken cancel
    ) =>
        await AskAsync<PointsSettled>(
            "SettlePoints",
            $"/internal/point_holds/{id}/settle",
            new SettleRequest(books, captured),
            cancel
        ) ?? throw new LedgerUnknownException($"The wallet does not know the points of {id}.", null);

    /// <summary>The points that come back with so much money.</summary>
    public async Task<long> RefundAsync(RedemptionId id, RefundId refund, long amount, CancellationToken cancel) =>
        (
            await AskAsync<RefundResponse>(
                "RefundPoints",
                $"/internal/point_holds/{id}/refunds",
                new RefundRequest(refund, amount),
                cancel
            )
        )?.Points
        ?? throw new LedgerUnknownException($"The wallet does not know the points of {id}.", null);

    /// <summary>What of a merchant's points was not spent at an instant. Refuses with busy.</summary>
    public async Task<IReadOnlyList<PointsOwed>> LiabilityAsync(
        MerchantId merchant,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        try
        {
            var path = $"/internal/points_liability?merchant_id={merchant}&as_of={asOf.UtcDateTime:O}";
            return (
                await SendAsync<LiabilityResponse>(() => new HttpRequestMessage(HttpMethod.Get, path), cancel)
            )!.Data;
        }
        catch (LedgerUnknownException)
        {
            throw new FaultException(CommonFaults.Busy, "The points can not be counted at the moment.");
        }
    }

    private async Task<TResponse?> AskAsync<TResponse>(
        string step,
        string path,
        object request,
        CancellationToken cancel
    )
        where TResponse : class
    {
        await Failpoints.BeforeAsync(step);
        var response = await SendAsync<TResponse>(
            () =>
                new HttpRequestMessage(HttpMethod.Post, path)
                {
                    Content = JsonContent.Create(request, request.GetType(), options: StrictJson.Options),
                },
            cancel
        );
        await Failpoints.AnsweredAsync(step);
        return response;
    }

    /// <summary>Null: the wallet says that there is no such thing.</summary>
    private async Task<TResponse?> SendAsync<TResponse>(Func<HttpRequestMessage> request, CancellationToken cancel)
        where TResponse : class
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            using var message = request();
            using var answer = await wallet.SendAsync(message, deadline.Token);
            if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
            {
                return null;
            }

            // A refusal that no question of ours should provoke says nothing of what was done: it is asked again, and
            // then shown to operators.
            answer.EnsureSuccessStatusCode();
            return await answer.Content.ReadFromJsonAsync<TResponse>(StrictJson.Lenient, deadline.Token);
        }
        catch (Exception silence)
            when (silence is HttpRequestException or JsonException
                || silence is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new LedgerUnknownException($"The wallet did not answer: {silence.Message}", silence);
        }
    }

    private static FaultException NotUsable() =>
        new(Faults.MemberNotUsable, "There is no such member whose points can be used here.");

    private sealed record QuoteRequest(
        MerchantId MerchantId,
        bool Live,
        MemberId MemberId,
        long MaxAmount,
        long? MaxPoints
    );

    private sealed record HoldRequest(
        RedemptionId RedemptionId,
        MerchantId MerchantId,
        bool Live,
        MemberId MemberId,
        long MaxAmount,
        long? MaxPoints
    );

    private sealed record HoldResponse(long Points, long Pays, AccountId? AccountId);

    private sealed record SettleRequest(MerchantId MerchantId, long Captured);

    private sealed record RefundRequest(RefundId RefundId, long Amount);

    private sealed record RefundResponse(long Points);

    private sealed record LiabilityResponse(IReadOnlyList<PointsOwed> Data);
}

/// <summary>What became of a redemption's points.</summary>
/// <param name="Spent">One that was spent in part is spent.</param>
internal sealed record PointsSettled(long Spent, long Back);

/// <summary>What of a programme's points was not spent, and what that is owed as, in minor units.</summary>
internal sealed record PointsOwed(
    ProgramId ProgramId,
    string Name,
    Currency Currency,
    long Points,
    long Owed,
    long Members
);
