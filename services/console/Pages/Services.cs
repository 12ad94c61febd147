namespace LocalPlus.Console.Pages;

/// <summary>Which services can be asked after what.</summary>
internal static class Services
{
    /// <summary>Those with events and dead letters.</summary>
    public static readonly string[] WithEvents =
    [
        "ledger",
        "giftcard",
        "wallet",
        "merchant",
        "notification",
        "analytics",
    ];

    /// <summary>Those with scheduled jobs.</summary>
    public static readonly string[] WithJobs = ["ledger", "giftcard", "wallet", "analytics", "notification"];

    /// <summary>Those that name what needs somebody.</summary>
    public static readonly string[] WithAttention = ["giftcard", "wallet", "notification"];

    /// <summary>Those with tasks.</summary>
    public static readonly string[] WithTasks = ["giftcard"];
}
