using LocalPlus.Hosting;
using LocalPlus.Notification.Events;

namespace LocalPlus.Notification.Intake;

/// <summary>The events of which somebody is told.</summary>
internal static class IntakeFeature
{
    public static void MapIntake(this WebApplication app)
    {
        var events = new KeptTopics(app.MapEvents());
        events.MapEvent<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync);
        events.MapEvents<OnRedemptionEvent.Data>("giftcard.redemptions.v1", OnRedemptionEvent.HandleAsync);
        events.MapEvent<OnMerchantOnboarded.Data>("merchant.onboarded.v1", OnMerchantOnboarded.HandleAsync);
        events.MapEvents("ledger.transactions.v1");
    }
}
