using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LocalPlus.Hosting;

/// <summary>
/// Traces and metrics of ASP.NET Core, HttpClient, Npgsql and every source or meter named LocalPlus.*, sent by OTLP when
/// OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise <see cref="TelemetrySummary"/> sums the requests up in the log.
/// </summary>
internal static class Telemetry
{
    private static readonly string[] Sources =
        ["Microsoft.AspNetCore", "System.Net.Http", "Npgsql", "LocalPlus.*", "Dapr.Workflow"];

    /// <summary>0.2 s is the ledger's objective, so the histogram has a bound there.</summary>
    private static readonly double[] RequestDurationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2.5, 5, 10];

    public static void AddLocalPlusTelemetry(this IServiceCollection services, IConfiguration configuration, string service)
    {
        if (string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            services.AddHostedService<TelemetrySummary>();
            return;
        }

        var resource = ResourceBuilder.CreateDefault().AddService($"svc-{service}", serviceNamespace: "localplus");
        services.AddSingleton(_ => Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource).AddSource(Sources).AddOtlpExporter().Build());
        services.AddSingleton(_ => Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Npgsql", "LocalPlus.*")
            .AddView("http.server.request.duration", new ExplicitBucketHistogramConfiguration { Boundaries = RequestDurationBounds })
            .AddOtlpExporter((OtlpExporterOptions _, MetricReaderOptions reader) => reader.TemporalityPreference = MetricReaderTemporalityPreference.Cumulative)
            .Build());
        services.AddHostedService<Providers>();
    }

    /// <summary>Starts the providers with the host and flushes them at its end.</summary>
    private sealed class Providers(TracerProvider traces, MeterProvider metrics) : IHostedService
    {
        private const int FlushMilliseconds = 3000;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces.ForceFlush(FlushMilliseconds);
            metrics.ForceFlush(FlushMilliseconds);
            return Task.CompletedTask;
        }
    }
}
