using Dapr.Client;
using Dapr.Workflow;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Giftcard.Ledger;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Giftcard.Redemptions;
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
        services.AddSingleton<LedgerGateway>();
        services.AddSingleton<LedgerAccounts>();
        services.AddSingleton<Intents>();
        services.AddSingleton(_ => new WalletCustomers(DaprClient.CreateInvokeHttpClient("wallet")));
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
        merchants.MapGetProgram();
        merchants.MapListPrograms();
        merchants.MapSellGiftCard();
        merchants.MapLookupGiftCard();
        merchants.MapGetGiftCard();
        merchants.MapListGiftCards();
        merchants.MapListCardActivities();
        merchants.MapActivateGiftCard();
        merchants.MapLoadGiftCard();
        merchants.MapAdjustGiftCard();
        merchants.MapBlockGiftCard();
        merchants.MapExtendGiftCard();
        merchants.MapTransferGiftCard();
        merchants.MapReplaceGiftCard();
        merchants.MapCashOutGiftCard();
        merchants.MapCloseGiftCard();
        merchants.MapCreateRedemption();
        merchants.MapQuoteRedemption();
        merchants.MapGetRedemption();
        merchants.MapListRedemptions();
        merchants.MapGetTimeline();
        merchants.MapConfirmRedemption();
        merchants.MapCancelRedemption();
        merchants.MapRefundRedemption();
        merchants.MapListRefunds();

        var operators = app.MapOperatorApi();
        operators.AddEndpointFilter(BusyWhenLedgerIsSilent);
        operators.MapListRuns();
        operators.MapGetRun();
        operators.MapExportRun();
        operators.MapReconcileRuns();
        operators.MapRunVerbs();
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
        services.AddSingleton<SellGiftCard.Intake>();
        services.AddJob<ExpireGiftCards>("expired-giftcards");
    }

    private static void AddRedemptions(IServiceCollection services)
    {
        services.AddSingleton<RedemptionStore>();
        services.AddSingleton<RedemptionPlanner>();
        services.AddSingleton<RedemptionOutcomes>();
        services.AddSingleton<RedemptionDriver>();
        services.AddSingleton<RedemptionDecider>();
        services.AddSingleton<Advice>();
        services.AddSingleton<CreateRedemption.Intake>();
        services.AddSingleton<RefundDriver>();
        services.AddSingleton<RefundRedemption.Intake>();
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
