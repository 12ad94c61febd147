using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Operations;

/// <summary>What may be done with a card, from its sale to its end.</summary>
internal static class OperationsFeature
{
    public static void AddOperations(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CardLeftovers>();
        builder.Services.AddSingleton<OperationDriver>();
        builder.Services.AddSingleton<OperationOutcomes>();
        builder.Services.AddSingleton<OperationRequests>();
        builder.Services.AddSingleton<SellGiftCard.Intake>();
        builder.Services.AddDueWork(
            "card_operations",
            "operation_id",
            all => all.GetRequiredService<OperationDriver>().DriveAsync
        );
        builder.Services.AddDueWork<GiftCardId>(
            "gift_cards",
            "gift_card_id",
            all => all.GetRequiredService<CardLeftovers>().MoveAsync,
            CardLeftovers.Take
        );
        builder.Services.AddJob<ExpireGiftCards>("expired-giftcards");
        builder.Services.AddJob<TellExpiringCards>("expiring-giftcards");
    }

    public static RouteGroupBuilder MapOperations(this RouteGroupBuilder merchants)
    {
        merchants.MapSellGiftCard();
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
