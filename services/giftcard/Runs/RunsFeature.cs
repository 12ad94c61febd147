using Dapr.Workflow;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Workflows;

namespace LocalPlus.Giftcard.Runs;

/// <summary>The workflow runs behind redemptions, and what operators may do with them.</summary>
internal static class RunsFeature
{
    internal static readonly TimeSpan ReconcilePause = TimeSpan.FromSeconds(1);

    public static void AddRuns(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<RunOptions>(builder.Configuration.GetSection(RunOptions.Section));
        builder.Services.AddDaprWorkflow(workflows =>
        {
            workflows.RegisterWorkflow<ImmediateRedemptionV1>();
            workflows.RegisterWorkflow<RedemptionV1>();
            workflows.RegisterActivity<AdvanceRedemption>();
            workflows.RegisterActivity<SettleRedemption>();
        });
        builder.Services.AddSingleton<RunSignal>();
        builder.Services.AddSingleton<RunQueue>();
        builder.Services.AddSingleton<IRedemptionRuns, RedemptionRuns>();
        builder.Services.AddSingleton<RunProgressWriter>();
        builder.Services.AddSingleton<RunReconciler>();
        builder.Services.AddSingleton<OperatorActionLog>();
        builder.Services.AddSingleton<RunOperator>();
        builder.Services.AddSingleton<RunReader>();
        builder.Services.AddSingleton<EngineReader>();
        builder.Services.AddSingleton<Doorbell>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Doorbell>());
        builder.Services.AddHostedService<RunStarter>();
        builder.Services.AddSweepChore(
            ReconcilePause,
            all => all.GetRequiredService<RunReconciler>().ReconcileLateAsync
        );
    }

    public static RouteGroupBuilder MapRuns(this RouteGroupBuilder operators)
    {
        operators.MapSummarizeRuns();
        operators.MapListRuns();
        operators.MapGetRun();
        operators.MapExportRun();
        operators.MapReconcileRuns();
        operators.MapRunVerbs();
        return operators;
    }
}
