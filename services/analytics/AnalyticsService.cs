using LocalPlus.Analytics.Activity;
using LocalPlus.Analytics.Cohorts;
using LocalPlus.Analytics.Intake;
using LocalPlus.Analytics.Loyalty;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;

namespace LocalPlus.Analytics;

/// <summary>What this service is made of: reports for merchants, and the topics that they are counted from.</summary>
internal static class AnalyticsService
{
    public static void MapAnalytics(this WebApplication app)
    {
        app.MapMerchantApi()
            .MapGetDailyReport()
            .MapGetWalletReport()
            .MapGetValueReport()
            .MapGetValueChart()
            .MapGetCohorts()
            .MapGetCohortChart()
            .MapGetActivity()
            .MapGetLoyaltyReport();
        var events = app.MapEvents();
        events.MapEvents<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync, Repeats.AreHarmless);
        events.MapEvents<OnRedemptionEvent.Data>(
            "giftcard.redemptions.v1",
            OnRedemptionEvent.HandleAsync,
            Repeats.AreHarmless
        );
        events.MapEvents<OnLedgerTransaction.Data>(
            "ledger.transactions.v1",
            OnLedgerTransaction.HandleAsync,
            Repeats.AreHarmless
        );
        events.MapEvents<OnWalletBalance.Data>(
            "wallet.balance-updated.v1",
            OnWalletBalance.HandleAsync,
            Repeats.AreHarmless
        );
        events.MapEvents<OnMemberEvent.Data>("wallet.members.v1", OnMemberEvent.HandleAsync, Repeats.AreHarmless);
    }
}
