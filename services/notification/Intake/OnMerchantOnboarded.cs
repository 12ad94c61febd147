using LocalPlus.Hosting;

namespace LocalPlus.Notification.Intake;

/// <summary>merchant.onboarded.v1: the welcome mail to the merchant.</summary>
internal static class OnMerchantOnboarded
{
    internal sealed record Data;

    public static Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services) =>
        e is { Type: "merchant.onboarded", MerchantId: { } merchant }
            ? new NewNotification(e.Id, merchant, NotificationKinds.MerchantWelcome).AddAsync(
                db,
                services.GetRequiredService<TimeProvider>()
            )
            : Task.CompletedTask;
}
