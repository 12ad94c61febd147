using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LocalPlus.Hosting;

/// <summary>
/// Traces, metrics and logs of ASP.NET Core, HttpClient, Npgsql, Dapr.Workflow and every source or meter named
/// LocalPlus.*,
/// sent by OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise <see cref="TelemetrySummary"/> sums the requests up
/// in the log.
/// </summary>
internal static class Telemetry
{
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private static readonly string[] Sources = ["Npgsql", "LocalPlus.*", "Dapr.Workflow", "Grpc.Net.Client"];
    private static readonly string[] Meters = ["Npgsql", "LocalPlus.*"];

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

    public static void AddLocalPlusTelemetry(this WebApplicationBuilder builder, string service)
    {
        if (string.IsNullOrEmpty(builder.Configuration[EndpointVariable]))
        {
            builder.Services.AddHostedService<TelemetrySummary>();
            return;
        }

        builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService($"svc-{service}", serviceNamespace: "localplus"))
            .WithTracing(traces =>
                traces
                    .AddAspNetCoreInstrumentation(requests =>
                        requests.Filter = http => !Health.IsProbe(http.Request.Path)
                    )
                    .AddHttpClientInstrumentation()
                    .AddSource(Sources)
            )
            .WithMetrics(metrics =>
                metrics
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation()
                    .AddMeter(Meters)
                    .AddView(
                        "http.server.request.duration",
                        new ExplicitBucketHistogramConfiguration { Boundaries = RequestDurationBounds }
                    )
            )
            .WithLogging(configureBuilder: null, logs => logs.IncludeFormattedMessage = true)
            .UseOtlpExporter();
    }
}
