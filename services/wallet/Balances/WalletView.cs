using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>A holder's cards and what is on them.</summary>
/// <param name="Balances">Sums over all cards, one a currency, before what open redemptions hold.</param>
/// <param name="HasMore">There are more cards than are shown.</param>
internal sealed record WalletView(
    WalletId Id,
    string Object,
    CustomerId CustomerId,
    IReadOnlyList<Money> Balances,
    IReadOnlyList<WalletCardView> GiftCards,
    bool HasMore
);

internal sealed record WalletCardView(
    GiftCardId GiftCardId,
    ProgramId ProgramId,
    string Last4,
    string Status,
    Money Balance,
    DateTimeOffset UpdatedAt
);
