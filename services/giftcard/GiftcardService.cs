using LocalPlus.Giftcard.Batches;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Holders;
using LocalPlus.Giftcard.Holds;
using LocalPlus.Giftcard.Imports;
using LocalPlus.Giftcard.Jobs;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Offline;
using LocalPlus.Giftcard.Operations;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Giftcard.Reports;
using LocalPlus.Giftcard.Rewards;
using LocalPlus.Giftcard.RunBulks;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Giftcard.Settlements;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard;

/// <summary>
/// What this service is made of. Each feature is a folder and says itself what it needs and which routes it has.
/// </summary>
internal static class GiftcardService
{
    public static void AddGiftcard(this WebApplicationBuilder builder)
    {
        EnumTextHandlers.Register();
        builder.AddLedger();
        builder.Services.AddSingleton<Intents>();
        builder.Services.AddCaches();
        builder.Services.AddSingleton<ProgramCopies>();
        builder.Services.AddSingleton(all => new Ownership(
            PeerClient.Create(all, "merchant"),
            PeerClient.Create(all, "wallet"),
            all.GetRequiredService<Caches>()
        ));
        builder.Services.AddSingleton(all => new Terminals(
            PeerClient.Create(all, "merchant"),
            all.GetRequiredService<MerchantWords>(),
            all.GetRequiredService<Ownership>(),
            all.GetRequiredService<TimeProvider>()
        ));
        builder.AddCards();
        builder.AddOperations();
        builder.AddBatches();
        builder.AddImports();
        builder.AddRedemptions();
        builder.AddOffline();
        builder.AddRuns();
        builder.AddSettlements();
        builder.AddRunBulks();
        builder.Services.AddJob<CleanUp>("giftcard-cleanup");
        builder.Services.AddHostedService<Sweeper>();
        builder.Services.AddWatches();
    }

    public static void MapGiftcard(this WebApplication app)
    {
        var merchants = app.MapMerchantApi();
        merchants.AddEndpointFilter(LedgerFeature.BusyWhenSilent);
        merchants.MapPrograms();
        merchants.MapRewards();
        merchants.MapCards();
        merchants.MapOperations();
        merchants.MapBatches();
        merchants.MapImports();
        merchants.MapJobs();
        merchants.MapRedemptions();
        merchants.MapHolds();
        merchants.MapOffline();
        merchants.MapReports();
        merchants.MapSettlements();

        var operators = app.MapOperatorApi();
        operators.AddEndpointFilter(LedgerFeature.BusyWhenSilent);
        operators.MapRuns();
        operators.MapRunBulks();
        operators.MapListAttention();
        app.MapInternal().MapCardsInternal().MapHolders();
        app.MapEvents()
            .MapEvents<OnCustomerErased.Data>("customer.erased.v1", OnCustomerErased.HandleAsync)
            .MapEvents<ProgramChanged>("giftcard.programs.v1", ProgramCopies.HandleAsync, Repeats.AreHarmless);
    }
}
