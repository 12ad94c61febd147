using Grpc.Core;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// Faults over gRPC: a status for machines that only know gRPC, and trailers with the same code as over REST.
/// </summary>
public static class GrpcFaults
{
    public const string CodeTrailer = "localplus-code";
    public const string DetailTrailer = "localplus-detail-bin";

    /// <summary>What a gRPC service throws for a fault, or for any other exception that reached its edge.</summary>
    public static RpcException ToRpcException(this Exception exception)
    {
        var fault = FaultHandler.ToFault(exception);
        var trailers = new Metadata
        {
            { CodeTrailer, fault.Fault.Code },
            { DetailTrailer, System.Text.Encoding.UTF8.GetBytes(fault.Detail) },
        };
        return new RpcException(new Status(ToStatusCode(fault.Fault), fault.Detail), trailers, fault.Detail);
    }

    /// <summary>
    /// What a client makes of a refusal: the fault with that code out of <paramref name="known"/>, or null when the
    /// call failed for another reason (its outcome is unknown).
    /// </summary>
    public static FaultException? ToFault(this RpcException exception, IEnumerable<Fault> known) =>
        exception.Trailers.GetValue(CodeTrailer) is { } code
        && known.FirstOrDefault(fault => fault.Code == code) is { } match
            ? new FaultException(match, exception.Status.Detail)
            : null;

    private static StatusCode ToStatusCode(Fault fault) =>
        fault.Status switch
        {
            400 => StatusCode.InvalidArgument,
            401 => StatusCode.Unauthenticated,
            403 => StatusCode.PermissionDenied,
            404 => StatusCode.NotFound,
            409 => StatusCode.Aborted,
            412 or 422 or 428 => StatusCode.FailedPrecondition,
            429 => StatusCode.ResourceExhausted,
            503 => StatusCode.Unavailable,
            _ => StatusCode.Internal,
        };
}
