namespace LocalPlus.Giftcard.Offline;

/// <summary>What tills take while nobody can be asked.</summary>
internal static class OfflineFeature
{
    public static void AddOffline(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => new AllowanceSigner(builder.Configuration));
        builder.Services.AddSingleton<OfflineIntake>();
        builder.Services.AddSingleton<OfflineDriver>();
        builder.Services.AddSingleton<ExpiredValue>();
        builder.Services.AddDueWork(
            "offline_items",
            "item_id",
            all => all.GetRequiredService<OfflineDriver>().DriveAsync
        );
    }

    public static RouteGroupBuilder MapOffline(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateAllowance();
        merchants.MapReadAllowances();
        merchants.MapUploadBatch();
        return merchants;
    }
}
