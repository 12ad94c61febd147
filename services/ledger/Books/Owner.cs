using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Books;

/// <summary>
/// Who asks for a change. A merchant changes what is its own; a service that, and what it opened for itself; the ledger
/// everything. Holds and transactions have no owner of their own: they are as free as the accounts that they touch.
/// </summary>
internal readonly record struct Caller
{
    private readonly string? service;
    private readonly bool isLedger;

    private Caller(string? service, bool isLedger) => (this.service, this.isLedger) = (service, isLedger);

    /// <summary>A merchant, through the REST API: the one with the fewest rights, and so the default.</summary>
    public static Caller Merchant => default;

    /// <summary>The ledger's own workers.</summary>
    public static Caller Ledger { get; } = new(null, isLedger: true);

    /// <summary>Whom an account belongs to that it opens by this name; null: the merchant.</summary>
    public string? OwnerOf(string name) =>
        ReservedNames.IsOneOfBoth(service) && ReservedNames.OwnerOf(name) == ReservedNames.Both
            ? ReservedNames.Both
            : service;

    public static Caller Service(string appId) => new(appId, isLedger: false);

    public bool MayChange(string? owner) =>
        owner is null
        || isLedger
        || owner == service
        || (owner == ReservedNames.Both && ReservedNames.IsOneOfBoth(service));

    /// <summary>Refuses what belongs to a service that is not the caller.</summary>
    public void RequireMayChange(AccountId account, string? owner)
    {
        if (!MayChange(owner))
        {
            throw new FaultException(
                Faults.OwnedByService,
                $"Account {account} belongs to {owner}, which alone changes it."
            );
        }
    }
}

/// <summary>
/// The names that services give to the accounts they open. A merchant who opened one first would have a door to what is
/// booked there later; and of accounts from before there were owners, the name tells whose they are.
/// </summary>
internal static class ReservedNames
{
    /// <summary>
    /// Of an account that two services share: wallet puts what a member's points pay there, giftcard holds and captures
    /// it with the cards of the redemption.
    /// </summary>
    public const string Both = GiftCards + "-" + Points;

    private const string GiftCards = "giftcard";
    private const string Points = "wallet";

    private static readonly string[] Whole =
    [
        "clearing",
        "merchant:payable",
        "merchant:promo_expense",
        "merchant:receivable",
        "platform:fees",
        "programme:adjustments",
        "programme:breakage",
    ];

    private static readonly string[] Beginnings = ["card:gc_", "commission:mrc_", "payable:mrc_"];

    private static readonly string[] BeginningsOfPoints = ["loyalty:", "member:mem_"];
    private static readonly string[] BeginningsOfBoth = ["points:mem_"];

    public static bool Has(string name) => OwnerOf(name) is not null;

    /// <summary>Whose an account of that name is, when nothing else says it.</summary>
    public static string? OwnerOf(string name) =>
        Whole.Contains(name, StringComparer.Ordinal) || Begins(name, Beginnings) ? GiftCards
        : Begins(name, BeginningsOfPoints) ? Points
        : Begins(name, BeginningsOfBoth) ? Both
        : null;

    public static bool IsOneOfBoth(string? service) => service is GiftCards or Points;

    private static bool Begins(string name, string[] with) =>
        with.Any(start => name.StartsWith(start, StringComparison.Ordinal));

    /// <summary>Refuses a name that is kept for a service's accounts.</summary>
    public static void RequireFree(string name, string pointer)
    {
        if (Has(name))
        {
            throw new FaultException(
                Faults.NameReserved,
                $"Accounts called '{name}' are opened by the service that books on them.",
                new FieldError(pointer, Faults.NameReserved.Code)
            );
        }
    }
}
