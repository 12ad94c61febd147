namespace LocalPlus.Console.Pages;

/// <summary>The services whose events and dead letters can be asked after.</summary>
internal static class Services
{
    public static readonly string[] WithEvents =
    [
        "ledger",
        "giftcard",
        "wallet",
        "merchant",
        "notification",
        "analytics",
    ];
}
