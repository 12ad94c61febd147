using System.Diagnostics;
using LocalPlus.Sidecar.Runtime;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LocalPlus.Sidecar.Tracing;

/// <summary>
/// Records one application's spans when its Configuration samples any, or when OTEL_EXPORTER_OTLP_ENDPOINT names a
/// collector; the variables beat the Configuration. Without either, trace context only passes through.
/// </summary>
internal static class Telemetry
{
    /// <summary>The recorder, or null when nothing is recorded.</summary>
    public static IDisposable? Start(HostedApp app)
    {
        var configuration = app.Resources.Configuration;
        var endpoint = Endpoint(app);
        var rate = configuration.SamplingRate ?? (endpoint is null ? 0 : 1);
        if (rate <= 0)
        {
            return null;
        }
        var builder = Sdk.CreateTracerProviderBuilder()
            .AddSource(app.Tracing.Name)
            .SetResourceBuilder(
                ResourceBuilder
                    .CreateEmpty()
                    .AddService(app.AppId, serviceNamespace: app.Namespace, autoGenerateServiceInstanceId: false)
            )
            .SetSampler(new ParentBasedSampler(rate >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(rate)));
        if (configuration.TraceToStdout)
        {
            builder.AddProcessor(new SpanLog(app.Logs.CreateLogger("dapr.runtime.trace")));
        }
        if (endpoint is not null)
        {
            builder.AddOtlpExporter(exporter => Configure(exporter, app, endpoint));
        }
        return builder.Build();
    }

    private static Uri? Endpoint(HostedApp app)
    {
        var text = Variable(app, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? Variable(app, "OTEL_EXPORTER_OTLP_ENDPOINT");
        if (text is null && app.Resources.Configuration is { OtlpEndpoint: { Length: > 0 } configured } spec)
        {
            text = configured.Contains("://", StringComparison.Ordinal)
                ? configured
                : $"{(spec.OtlpSecure ? "https" : "http")}://{configured}";
        }
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) ? endpoint : null;
    }

    private static void Configure(OtlpExporterOptions exporter, HostedApp app, Uri endpoint)
    {
        var protocol =
            Variable(app, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            ?? Variable(app, "OTEL_EXPORTER_OTLP_PROTOCOL")
            ?? app.Resources.Configuration.OtlpProtocol;
        exporter.Protocol = protocol.StartsWith("http", StringComparison.Ordinal)
            ? OtlpExportProtocol.HttpProtobuf
            : OtlpExportProtocol.Grpc;
        // An address given in code is taken as it is, so the path of OTLP over HTTP is added here.
        exporter.Endpoint =
            exporter.Protocol == OtlpExportProtocol.HttpProtobuf && endpoint.AbsolutePath.Length <= 1
                ? new Uri(endpoint, "v1/traces")
                : endpoint;
        if (
            (Variable(app, "OTEL_EXPORTER_OTLP_HEADERS") ?? app.Resources.Configuration.OtlpHeaders) is
            { Length: > 0 } headers
        )
        {
            exporter.Headers = headers;
        }
    }

    private static string? Variable(HostedApp app, string name) =>
        app.Options.Env.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>tracing.stdout: a line for each span.</summary>
    private sealed class SpanLog(ILogger log) : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data) =>
            log.Span(
                data.DisplayName,
                data.TraceId.ToString(),
                data.SpanId.ToString(),
                data.ParentSpanId.ToString(),
                data.Duration.TotalMilliseconds
            );
    }
}
