using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>A holder's cards and points, and what open redemptions leave of them.</summary>
/// <param name="Balances">Sums over all cards, one a currency, before what open redemptions hold.</param>
/// <param name="Totals">The same sums with what is held and what is left.</param>
/// <param name="HasMore">There are more cards than are shown.</param>
/// <param name="Memberships">Points, by programme.</param>
internal sealed record WalletView(
    WalletId Id,
    string Object,
    CustomerId CustomerId,
    IReadOnlyList<Money> Balances,
    IReadOnlyList<WalletTotalView> Totals,
    IReadOnlyList<WalletCardView> GiftCards,
    bool HasMore,
    IReadOnlyList<MembershipView> Memberships
);

/// <summary>What all cards of a currency come to, in minor units.</summary>
/// <param name="Available">Posted less held, of no card below zero.</param>
internal sealed record WalletTotalView(Currency Currency, long Posted, long Held, long Available);

/// <param name="Balance">What is on the card, before what open redemptions hold.</param>
/// <param name="Available">Balance less held; never below zero.</param>
internal sealed record WalletCardView(
    GiftCardId GiftCardId,
    ProgramId ProgramId,
    string Last4,
    string Status,
    Money Balance,
    Money Held,
    Money Available,
    DateTimeOffset UpdatedAt
);
