namespace LocalPlus.Giftcard.Deliveries;

/// <summary>Cards that go by mail; notification asks for what to write.</summary>
internal static class DeliveriesFeature
{
    public static void AddDeliveries(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<CardDeliveries>();
        builder.Services.AddSweepChore(TimeSpan.Zero, all => all.GetRequiredService<CardDeliveries>().SendDueAsync);
    }

    public static RouteGroupBuilder MapDeliveries(this RouteGroupBuilder services)
    {
        services.MapGetDelivery();
        return services;
    }
}
