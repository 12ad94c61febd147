using LocalPlus.Hosting;

namespace LocalPlus.Notification.Holders;

/// <summary>Whose messages are, as far as this service knows: an id, and a masked address.</summary>
internal static class HoldersFeature
{
    /// <summary>For the wallet, when a person asks or is forgotten.</summary>
    public static void MapHolders(this WebApplication app)
    {
        app.MapInternal().MapGetHolder().MapListForgottenHolders();
        app.MapEvents().MapEvents<OnCustomerErased.Data>("customer.erased.v1", OnCustomerErased.HandleAsync);
    }
}
