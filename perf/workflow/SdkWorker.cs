using Dapr.Workflow;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Perf.Workflow;

/// <summary>The worker as the services have it, in a process of its own: activities that do nothing, one after another.</summary>
internal static class SdkWorker
{
    public const string Workflow = "chain";

    public static async Task<int> RunAsync(string address)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration["DAPR_GRPC_ENDPOINT"] = address;
        builder.Logging.ClearProviders();
        builder.Services.AddDaprWorkflow(options =>
        {
            options.RegisterActivity<int, int>("nothing", (_, step) => Task.FromResult(step));
            options.RegisterWorkflow<int, int>(Workflow, async (context, steps) =>
            {
                for (var step = 0; step < steps; step++)
                {
                    await context.CallActivityAsync<int>("nothing", step);
                }

                return steps;
            });
        });
        using var host = builder.Build();
        await host.StartAsync();

        // Whoever started this process ends it by closing its input, or by dying.
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
        return 0;
    }
}
