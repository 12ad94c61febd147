namespace LocalPlus.Sidecar.Runtime;

/// <summary>Which of a sidecar's ports a connection came in on.</summary>
internal enum PortRole
{
    Http,
    Grpc,
    Internal,
    Metrics,
}

/// <summary>Set on each connection, so that a port chosen by the system is recognised too.</summary>
internal sealed record PortFeature(PortRole Role)
{
    public static readonly PortFeature Http = new(PortRole.Http);
    public static readonly PortFeature Grpc = new(PortRole.Grpc);
    public static readonly PortFeature Internal = new(PortRole.Internal);
    public static readonly PortFeature Metrics = new(PortRole.Metrics);
}
