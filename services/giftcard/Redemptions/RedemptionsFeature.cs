using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>Payments from cards, at once or in two phases, and their refunds.</summary>
internal static class RedemptionsFeature
{
    public static void AddRedemptions(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RedemptionStore>();
        builder.Services.AddSingleton<PastCards>();
        builder.Services.AddSingleton<RedemptionPlanner>();
        builder.Services.AddSingleton(all => new WalletPoints(PeerClient.Create(all, "wallet")));
        builder.Services.AddSingleton<PointsSettlements>();
        builder.Services.AddSingleton<OutcomeWriter>();
        builder.Services.AddSingleton<RedemptionDriver>();
        builder.Services.AddSingleton<RedemptionDecider>();
        builder.Services.AddSingleton<RedemptionExtender>();
        builder.Services.AddSingleton<ExtendRedemption.Extension>();
        builder.Services.AddSingleton<Advice>();
        builder.Services.AddSingleton<Velocity>();
        builder.Services.AddSingleton<CreateRedemption.Intake>();
        builder.Services.AddSingleton<CreateRedemption.Creation>();
        builder.Services.AddSingleton<RefundDriver>();
        builder.Services.AddSingleton<OpenRedemptions>();
        builder.Services.AddSweepChore(
            TimeSpan.Zero,
            all => all.GetRequiredService<OpenRedemptions>().ExpireHoldsAsync
        );
        builder.Services.AddDueWork(
            "redemptions",
            "redemption_id",
            all => all.GetRequiredService<OpenRedemptions>().DriveAsync
        );
        builder.Services.AddDueWork(
            "redemption_refunds",
            "refund_id",
            all => all.GetRequiredService<RefundDriver>().DriveAsync
        );
        builder.Services.AddDueWork(
            "points_settlements",
            "redemption_id",
            all => all.GetRequiredService<PointsSettlements>().DriveAsync
        );
        builder.Services.AddSingleton<RefundRedemption.Intake>();
    }

    public static RouteGroupBuilder MapRedemptions(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateRedemption();
        merchants.MapQuoteRedemption();
        merchants.MapGetRedemption();
        merchants.MapListRedemptions();
        merchants.MapGetTimeline();
        merchants.MapConfirmRedemption();
        merchants.MapCancelRedemption();
        merchants.MapExtendRedemption();
        merchants.MapRefundRedemption();
        merchants.MapListRefunds();
        return merchants;
    }
}
