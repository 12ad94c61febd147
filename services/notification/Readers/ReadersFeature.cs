using LocalPlus.Hosting;

namespace LocalPlus.Notification.Readers;

/// <summary>What readers want, and what they get at most.</summary>
internal static class ReadersFeature
{
    public static void AddReaders(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        // Made when they are needed: a migration has neither the key nor the address, and needs none.
        services.AddSingleton(_ => new AddressHashes(builder.Configuration));
        services.AddSingleton<AddressRehash>();
        services.AddSingleton(all => new UnsubscribeTokens(
            all.GetRequiredService<AddressHashes>(),
            UnsubscribeTokens.SiteOf(builder.Configuration)
        ));
        services.AddSingleton<ReaderAddresses>();
        services.AddSingleton<SendGate>();
        services.AddSingleton(new Chore("notification_counts", ReaderLimits.CountLife, Sql.CleanUp));
    }

    public static IEndpointRouteBuilder MapReaders(this IEndpointRouteBuilder merchants)
    {
        merchants.MapNotificationSettings().MapListSettingsVersions().MapGetPreference().MapPutPreference();
        return merchants.MapListSuppressions().MapCreateSuppression().MapLiftSuppression();
    }

    private static class Sql
    {
        public const string CleanUp = """
            DELETE FROM notification_counts
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM notification_counts
                                      WHERE window_start <= @Before
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;
    }
}
