using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LocalPlus.Hosting;

/// <summary>
/// Traces, metrics and logs of ASP.NET Core, HttpClient, Npgsql, Dapr.Workflow, the runtime and every source or meter
/// named LocalPlus.*: sent by OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set, metrics shown to Prometheus at /metrics of
/// LP_METRICS_PORT when that is set. With neither <see cref="TelemetrySummary"/> sums the requests up in the log.
/// </summary>
internal static class Telemetry
{
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private static readonly string[] Sources = ["Npgsql", "LocalPlus.*", "Dapr.Workflow", "Grpc.Net.Client"];
    private static readonly string[] Meters = ["Npgsql", "LocalPlus.*", "System.Runtime"];

    /// <summary>0.2 s is the ledger's objective, so the histogram has a bound there.</summary>
    private static readonly double[] RequestDurationBounds =
    [
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.2,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
    ];

    /// <summary>From a commit of the ledger to an event that waited for an outage of minutes.</summary>
    private static readonly double[] SecondsBounds =
    [
        0.001,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
        10,
        30,
        60,
        300,
    ];

    public static void AddLocalPlusTelemetry(this WebApplicationBuilder builder, string service)
    {
        var sends = !string.IsNullOrEmpty(builder.Configuration[EndpointVariable]);
        var shows = Ports.MetricsPort(builder.Configuration) is not null;
        if (!sends && !shows)
        {
            builder.Services.AddHostedService<TelemetrySummary>();
            return;
        }

        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService($"svc-{service}", serviceNamespace: "localplus"))
            .WithMetrics(metrics => Measure(metrics, shows));
        builder.Services.AddBacklogWatches();
        builder.Services.AddHostedService<Watcher>();
        if (sends)
        {
            telemetry
                .WithTracing(traces =>
                    traces
                        .AddAspNetCoreInstrumentation(requests =>
                            requests.Filter = http => !Health.IsProbe(http.Request.Path)
                        )
                        .AddHttpClientInstrumentation()
                        .AddSource(Sources)
                )
                .WithLogging(configureBuilder: null, logs => logs.IncludeFormattedMessage = true)
                .UseOtlpExporter();
        }
    }

    /// <summary>Before everything else: that port has one page and no doors.</summary>
    public static void UseMetricsPort(this WebApplication app)
    {
        if (Ports.MetricsPort(app.Configuration) is { } port)
        {
            app.MapWhen(
                http => http.Connection.LocalPort == port,
                metrics => metrics.UseOpenTelemetryPrometheusScrapingEndpoint()
            );
        }
    }

    private static void Measure(MeterProviderBuilder metrics, bool shows)
    {
        metrics
            .AddAspNetCoreInstrumentation()
            .AddHttpClientInstrumentation()
            .AddMeter(Meters)
            .AddView(
                "http.server.request.duration",
                new ExplicitBucketHistogramConfiguration { Boundaries = RequestDurationBounds }
            )
            .AddView(instrument =>
                instrument is Histogram<double> { Unit: "s", Meter.Name: var meter }
                && meter.StartsWith("LocalPlus.", StringComparison.Ordinal)
                    ? new ExplicitBucketHistogramConfiguration { Boundaries = SecondsBounds }
                    : null
            );
        if (shows)
        {
            metrics.AddPrometheusExporter();
        }
    }
}
