using Dapr.Client;
using Dapr.Workflow;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Batches;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Deliveries;
using LocalPlus.Giftcard.Holds;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Offline;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Giftcard.Reports;
using LocalPlus.Giftcard.Rewards;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard;

/// <summary>What this service is made of: its parts, its endpoints, its workflow.</summary>
internal static class GiftcardService
{
    public static void AddGiftcard(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.Configure<RunOptions>(builder.Configuration.GetSection(RunOptions.Section));
        services.AddSingleton(new CardSecrets(builder.Configuration.Secret("code_pepper")));
        services.AddSingleton(_ => new LedgerService.LedgerServiceClient(DaprClient.CreateInvocationInvoker("ledger")));
        services.AddSingleton(_ => new AllowanceSigner(builder.Configuration.Secret("code_pepper")));
        services.AddSingleton<LedgerGateway>();
        services.AddSingleton<LedgerAccounts>();
        services.AddSingleton<Intents>();
        services.AddSingleton(_ => new WalletCustomers(PeerClient.Create("wallet")));
        AddCards(services);
        AddRedemptions(services);
        AddRuns(services);
        services.AddHostedService<Sweeper>();
    }

    public static void MapGiftcard(this WebApplication app)
    {
        var merchants = app.MapMerchantApi();
        merchants.AddEndpointFilter(BusyWhenLedgerIsSilent);
        merchants.MapCreateProgram();
        merchants.MapChangeProgram();
        merchants.MapGetProgram();
        merchants.MapListPrograms();
        merchants.MapCreateReward();
        merchants.MapChangeReward();
        merchants.MapGetReward();
        merchants.MapListRewards();
        merchants.MapRedeemReward();
        MapCards(merchants);
        MapRedemptions(merchants);
        merchants.MapLiabilityReport();
        merchants.MapBreakageReport();
        merchants.MapSettlementReport();

        var operators = app.MapOperatorApi();
        operators.AddEndpointFilter(BusyWhenLedgerIsSilent);
        operators.MapListRuns();
        operators.MapGetRun();
        operators.MapExportRun();
        operators.MapReconcileRuns();
        operators.MapRunVerbs();
        app.MapInternal().MapGetDelivery();
    }

    private static void MapCards(RouteGroupBuilder merchants)
    {
        merchants.MapSellGiftCard();
        merchants.MapCreateBatch();
        merchants.MapListBatches();
        merchants.MapGetBatch();
        merchants.MapDeliverBatchCodes();
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
    }

    private static void MapRedemptions(RouteGroupBuilder merchants)
    {
        merchants.MapCreateRedemption();
        merchants.MapQuoteRedemption();
        merchants.MapGetRedemption();
        merchants.MapListRedemptions();
        merchants.MapGetTimeline();
        merchants.MapConfirmRedemption();
        merchants.MapCancelRedemption();
        merchants.MapExtendRedemption();
        merchants.MapRefundRedemption();
        merchants.MapListRefunds();
        merchants.MapPlaceHold();
        merchants.MapGetHold();
        merchants.MapSettleHold();
        merchants.MapCreateAllowance();
        merchants.MapUploadBatch();
    }

    private static void AddCards(IServiceCollection services)
    {
        services.AddSingleton<CardDesk>();
        services.AddSingleton<CardFinder>();
        services.AddSingleton<CardLeftovers>();
        services.AddSingleton<CardMaker>();
        services.AddSingleton<CardReader>();
        services.AddSingleton<CardOperations>();
        services.AddSingleton<CardOutcomes>();
        services.AddSingleton<HandOver>();
        services.AddSingleton<CardDeliveries>();
        services.AddSingleton<BatchMaker>();
        services.AddHostedService(provider => provider.GetRequiredService<BatchMaker>());
        services.AddSingleton<SellGiftCard.Intake>();
        services.AddJob<ExpireGiftCards>("expired-giftcards");
        services.AddJob<CleanUp>("giftcard-cleanup");
    }

    private static void AddRedemptions(IServiceCollection services)
    {
        services.AddSingleton<RedemptionStore>();
        services.AddSingleton<RedemptionPlanner>();
        services.AddSingleton<OutcomeWriter>();
        services.AddSingleton<RedemptionDriver>();
        services.AddSingleton<RedemptionDecider>();
        services.AddSingleton<RedemptionExtender>();
        services.AddSingleton<ExtendRedemption.Extension>();
        services.AddSingleton<Advice>();
        services.AddSingleton<CreateRedemption.Intake>();
        services.AddSingleton<CreateRedemption.Till>();
        services.AddSingleton<RefundDriver>();
        services.AddSingleton<RefundRedemption.Intake>();
        services.AddSingleton<OfflineIntake>();
        services.AddSingleton<OfflineDriver>();
    }

    private static void AddRuns(IServiceCollection services)
    {
        services.AddDaprWorkflow(workflows =>
        {
            workflows.RegisterWorkflow<RedemptionV1>();
            workflows.RegisterActivity<AdvanceRedemption>();
            workflows.RegisterActivity<SettleRedemption>();
        });
        services.AddSingleton<RunSignal>();
        services.AddSingleton<RunBook>();
        services.AddSingleton<RunReconciler>();
        services.AddSingleton<RunDesk>();
        services.AddSingleton<RunOperator>();
        services.AddSingleton<RunReader>();
        services.AddSingleton<EngineReader>();
        services.AddSingleton<Doorbell>();
        services.AddHostedService(provider => provider.GetRequiredService<Doorbell>());
        services.AddHostedService<RunStarter>();
    }

    /// <summary>Silence of the ledger is "busy": what was accepted is finished later, and a repeat learns how it ended.</summary>
    private static async ValueTask<object?> BusyWhenLedgerIsSilent(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (LedgerUnknownException)
        {
            throw new FaultException(CommonFaults.Busy, "The ledger did not answer in time; repeat the request with the same key.");
        }
    }
}
