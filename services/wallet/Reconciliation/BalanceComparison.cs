namespace LocalPlus.Wallet.Reconciliation;

/// <summary>What can be wrong between a snapshot and the ledger; pure rules.</summary>
internal static class BalanceComparison
{
    /// <summary>
    /// The snapshot claims a change that the ledger does not know: events of another ledger, or a ledger set back.
    /// </summary>
    public const string Ahead = "ahead";

    /// <summary>Events are missing. While events are under way this is no finding yet; it must last.</summary>
    public const string Behind = "behind";

    /// <summary>Both are at the same change and disagree: one of them is wrong.</summary>
    public const string Mismatch = "mismatch";

    /// <summary>The ledger has no such account.</summary>
    public const string UnknownAccount = "unknown_account";

    /// <summary>The kind of difference, or null when the snapshot is right.</summary>
    public static string? Compare(long sequence, long posted, LedgerBalance? ledger) =>
        ledger switch
        {
            null => UnknownAccount,
            _ when sequence > ledger.Sequence => Ahead,
            _ when sequence < ledger.Sequence => Behind,
            _ when posted != ledger.Posted => Mismatch,
            _ => null,
        };
}
