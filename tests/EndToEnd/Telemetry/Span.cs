namespace LocalPlus.Tests.EndToEnd.Telemetry;

/// <summary>A span as OTLP tells it.</summary>
/// <param name="Service">service.name of the process.</param>
/// <param name="Scope">The source that made it.</param>
internal sealed record Span(
    string Service,
    string Scope,
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    IReadOnlyDictionary<string, string> Attributes,
    bool IsError
)
{
    /// <summary>The spans of an ExportTraceServiceRequest (opentelemetry-proto, trace.proto).</summary>
    public static IEnumerable<Span> Read(ReadOnlyMemory<byte> request) =>
        from resource in new ProtoReader(request).Messages(1)
        let service = resource
            .Messages(1)
            .SelectMany(Attribute)
            .Where(a => a.Key == "service.name")
            .Select(a => a.Value)
            .FirstOrDefault("")
        from scope in resource.Messages(2)
        from span in scope.Messages(2)
        select new Span(
            service,
            scope.Messages(1).Select(s => s.Text(1)).FirstOrDefault(""),
            span.Hex(1),
            span.Hex(2),
            span.Hex(4),
            span.Text(5),
            span.Messages(9).Select(KeyValue).ToDictionary(a => a.Key, a => a.Value),
            span.Messages(15).Any(status => status.Number(3) == 2)
        );

    public override string ToString() =>
        $"{SpanId} below {ParentId}: {Service} {Scope} {Name}{(IsError ? " (error)" : "")}";

    private static IEnumerable<(string Key, string Value)> Attribute(ProtoReader resource) =>
        resource.Messages(1).Select(KeyValue);

    private static (string Key, string Value) KeyValue(ProtoReader pair) =>
        (
            pair.Text(1),
            pair.Messages(2)
                .Select(value => value.Text(1) is { Length: > 0 } text ? text : $"{value.Number(3)}")
                .FirstOrDefault("")
        );
}
