using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// Cards: what one is, how it is made, found and shown, and how a digital one gets to whom it is for.
/// </summary>
internal static class CardsFeature
{
    public static void AddCards(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => new CardSecrets(builder.Configuration));
        builder.Services.AddSingleton(all => new WalletCustomers(PeerClient.Create(all, "wallet")));
        builder.Services.AddSingleton<CardChanges>();
        builder.Services.AddSingleton<CardDeliveries>();
        builder.Services.AddSingleton<CardFinder>();
        builder.Services.AddSingleton<CardLookup>();
        builder.Services.AddSingleton<CardMaker>();
        builder.Services.AddSingleton<CardReader>();
        builder.Services.AddSingleton<HandOver>();
        builder.Services.AddSweepChore(TimeSpan.Zero, all => all.GetRequiredService<CardDeliveries>().SendDueAsync);
    }

    public static RouteGroupBuilder MapCards(this RouteGroupBuilder merchants)
    {
        merchants.MapLookupGiftCard();
        merchants.MapGetGiftCard();
        merchants.MapListGiftCards();
        merchants.MapListCardActivities();
        merchants.MapListCardLots();
        return merchants;
    }

    /// <summary>For notification, which asks for what to write.</summary>
    public static RouteGroupBuilder MapCardsInternal(this RouteGroupBuilder services)
    {
        services.MapGetDelivery();
        return services;
    }
}
