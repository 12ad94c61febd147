using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// A posting as it is planned, by the names of accounts in the issuer's books: of points, or of the money that they are
/// worth.
/// </summary>
internal sealed record Booking(string From, string To, long Amount, bool IsMoney = false);

/// <summary>
/// The accounts of a programme's books. Their names are reserved for this service (the ledger's Books/Owner.cs).
/// </summary>
internal static class PointsAccounts
{
    public const string Pool = "loyalty:pool";
    public const string Adjustments = "loyalty:adjustments";
    public const string Expense = "loyalty:expense";
    public const string Liability = "loyalty:liability";
    public const string Payable = "loyalty:payable";
    public const string Breakage = "loyalty:breakage";

    private const string MemberPrefix = "member:";
    private const string PayingPrefix = "points:";

    public static string Asset(ProgramId program) => $"PTS:{program}";

    public static string Of(MemberId member) => $"{MemberPrefix}{member}:points";

    public static string PendingOf(MemberId member) => $"{MemberPrefix}{member}:pending";

    /// <summary>What open redemptions hold of a member's points.</summary>
    public static string HeldOf(MemberId member) => $"{MemberPrefix}{member}:held";

    /// <summary>
    /// The money that a member's points pay in redemptions: put there by this service, held and captured by giftcard,
    /// with the cards of the same redemption.
    /// </summary>
    public static string PayingOf(MemberId member) => $"{PayingPrefix}{member}";

    /// <summary>What a partner owes for the points that were earned at it.</summary>
    public static string FundedBy(MerchantId partner) => $"loyalty:funded:{partner}";

    /// <summary>A member's own; the others are unbounded, and striped.</summary>
    public static bool IsMembers(string name) =>
        name.StartsWith(MemberPrefix, StringComparison.Ordinal)
        || name.StartsWith(PayingPrefix, StringComparison.Ordinal);

    /// <summary>Those that a programme may let go below zero; nothing that is held or pays ever does.</summary>
    public static bool MayBeNegative(string name) =>
        name.StartsWith(MemberPrefix, StringComparison.Ordinal) && !name.EndsWith(":held", StringComparison.Ordinal);
}
