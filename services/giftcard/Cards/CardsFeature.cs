using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Cards;

/// <summary>Cards: sold, found, and what may be done with them.</summary>
internal static class CardsFeature
{
    public static void AddCards(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => new CardSecrets(builder.Configuration.Secret("code_pepper")));
        builder.Services.AddSingleton(_ => new WalletCustomers(PeerClient.Create("wallet")));
        builder.Services.AddSingleton(_ => new Ownership(PeerClient.Create("merchant"), PeerClient.Create("wallet")));
        builder.Services.AddSingleton<CardDesk>();
        builder.Services.AddSingleton<CardFinder>();
        builder.Services.AddSingleton<CardLeftovers>();
        builder.Services.AddSingleton<CardMaker>();
        builder.Services.AddSingleton<CardReader>();
        builder.Services.AddSingleton<CardOperations>();
        builder.Services.AddSingleton<CardOutcomes>();
        builder.Services.AddSingleton<HandOver>();
        builder.Services.AddSingleton<SellGiftCard.Intake>();
        builder.Services.AddDueWork(
            "card_operations",
            "operation_id",
            all => all.GetRequiredService<CardOperations>().DriveAsync
        );
        builder.Services.AddDueWork(
            "gift_cards",
            "gift_card_id",
            all => all.GetRequiredService<CardLeftovers>().MoveAsync,
            CardLeftovers.Take
        );
        builder.Services.AddJob<ExpireGiftCards>("expired-giftcards");
    }

    public static RouteGroupBuilder MapCards(this RouteGroupBuilder merchants)
    {
        merchants.MapSellGiftCard();
        merchants.MapLookupGiftCard();
        merchants.MapGetGiftCard();
        merchants.MapListGiftCards();
        merchants.MapListCardActivities();
        merchants.MapListCardLots();
        merchants.MapActivateGiftCard();
        merchants.MapLoadGiftCard();
        merchants.MapAdjustGiftCard();
        merchants.MapBlockGiftCard();
        merchants.MapExtendGiftCard();
        merchants.MapTransferGiftCard();
        merchants.MapMergeGiftCard();
        merchants.MapReplaceGiftCard();
        merchants.MapCashOutGiftCard();
        merchants.MapCloseGiftCard();
        return merchants;
    }
}
