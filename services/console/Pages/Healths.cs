namespace LocalPlus.Console.Pages;

/// <summary>How a run is, from what nobody needs to look at to what somebody must.</summary>
internal static class Healths
{
    public static readonly string[] All = ["parked", "stuck", "retrying", "suspended", "waiting", "ok"];

    /// <summary>The worst first.</summary>
    public static int Rank(string health) => Array.IndexOf(All, health);

    public static string Advice(string health) =>
        health switch
        {
            "parked" => "Somebody has to look: it was tried too often in vain.",
            "stuck" => "Its run ended without its redemption: retry or reconcile it.",
            "retrying" => "It is being tried again; look at the error when it does not pass.",
            "suspended" => "An operator stopped it; resume it when that is over.",
            "waiting" => "It waits for a till, a time or its turn; nothing is wrong.",
            _ => "Nothing.",
        };

    /// <summary>Beside the word, for who reads shapes faster; never instead of it.</summary>
    public static string Sign(string health) =>
        health switch
        {
            "parked" => "■",
            "stuck" => "▲",
            "retrying" => "↻",
            "suspended" => "‖",
            "waiting" => "…",
            _ => "✓",
        };
}
