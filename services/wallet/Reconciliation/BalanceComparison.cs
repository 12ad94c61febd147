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
    public static string? Compare(BalanceWord snapshot, LedgerBalance? ledger) =>
        ledger switch
        {
            null => UnknownAccount,
            _ when snapshot.Sequence > ledger.Sequence => Ahead,
            _ when snapshot.Sequence < ledger.Sequence => Behind,
            _ when snapshot.Posted != ledger.Posted => Mismatch,
            // A ledger of the release before does not say of which change it speaks.
            { Revision: 0 } => null,
            _ when snapshot.HeldSequence > ledger.Revision => Ahead,
            _ when snapshot.Held == ledger.Held => null,
            // It tells of what is held when that changes: the last such change is missing here.
            _ when snapshot.HeldSequence < ledger.Revision => Behind,
            _ => Mismatch,
        };
}

/// <summary>What events have told of an account.</summary>
/// <param name="Sequence">Of the last entry told.</param>
/// <param name="HeldSequence">The account's revision when it was told what is held; 0: it never was.</param>
internal readonly record struct BalanceWord(long Posted, long Sequence, long Held = 0, long HeldSequence = 0);
