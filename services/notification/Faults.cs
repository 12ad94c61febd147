using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>The refusals that only this service makes; the shared ones are in CommonFaults.</summary>
internal static class Faults
{
    public static readonly Fault NotificationPending = new(
        "notification_pending",
        409,
        "The notification is still to be sent"
    );
}
