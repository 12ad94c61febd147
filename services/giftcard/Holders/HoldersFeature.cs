namespace LocalPlus.Giftcard.Holders;

/// <summary>Whose cards are, as far as this service knows: an id, and what a giver wrote.</summary>
internal static class HoldersFeature
{
    /// <summary>For the wallet, when a person asks or is forgotten.</summary>
    public static IEndpointRouteBuilder MapHolders(this IEndpointRouteBuilder intern) =>
        intern.MapGetHolder().MapListForgottenHolders();
}
