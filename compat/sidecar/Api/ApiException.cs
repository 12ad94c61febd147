namespace LocalPlus.Sidecar.Api;

/// <summary>The gRPC codes that the API answers with.</summary>
public static class GrpcCode
{
    public const int Ok = 0;
    public const int Canceled = 1;
    public const int Unknown = 2;
    public const int InvalidArgument = 3;
    public const int DeadlineExceeded = 4;
    public const int NotFound = 5;
    public const int AlreadyExists = 6;
    public const int PermissionDenied = 7;
    public const int ResourceExhausted = 8;
    public const int FailedPrecondition = 9;
    public const int Aborted = 10;
    public const int Unimplemented = 12;
    public const int Internal = 13;
    public const int Unavailable = 14;
    public const int Unauthenticated = 16;
}

/// <summary>The resource that an error is about.</summary>
public sealed record ErrorResource(string Type, string Name, string Description = "");

/// <summary>
/// The details list of an error: ErrorInfo always, a resource and a broken field where daprd adds them.
/// </summary>
public sealed record ErrorDetails(
    string Reason,
    IReadOnlyDictionary<string, string>? Metadata = null,
    ErrorResource? Resource = null,
    (string Field, string Description)? Violation = null
);

/// <summary>
/// A refusal in Dapr's own form. HTTP and gRPC show the same error with different details, so both are kept.
/// </summary>
public sealed class ApiException(int httpStatus, int grpcCode, string errorCode, string message) : Exception(message)
{
    public int HttpStatus { get; } = httpStatus;

    public int Code { get; } = grpcCode;

    /// <summary>For instance ERR_STATE_GET.</summary>
    public string ErrorCode { get; } = errorCode;

    /// <summary>The text over HTTP where it differs from the one over gRPC.</summary>
    public string? HttpMessage { get; init; }

    public ErrorDetails? HttpDetails { get; init; }

    public ErrorDetails? GrpcDetails { get; init; }

    /// <summary>
    /// An error whose gRPC form names the HTTP code as its reason, and whose HTTP form has no details.
    /// </summary>
    internal static ApiException Simple(int httpStatus, int grpcCode, string errorCode, string message) =>
        new(httpStatus, grpcCode, errorCode, message) { GrpcDetails = new ErrorDetails(errorCode) };

    /// <summary>An error without details in either form.</summary>
    internal static ApiException Bare(int httpStatus, int grpcCode, string errorCode, string message) =>
        new(httpStatus, grpcCode, errorCode, message);

    /// <summary>The same details in both forms.</summary>
    internal static ApiException Detailed(
        int httpStatus,
        int grpcCode,
        string errorCode,
        string message,
        ErrorDetails details
    ) => new(httpStatus, grpcCode, errorCode, message) { HttpDetails = details, GrpcDetails = details };

    internal static ApiException Malformed(string message) =>
        Bare(400, GrpcCode.InvalidArgument, "ERR_MALFORMED_REQUEST", message);

    internal static ApiException NoRoute() =>
        Bare(
            404,
            GrpcCode.NotFound,
            "ERR_DIRECT_INVOKE",
            "failed getting app id either from the URL path or the header dapr-app-id"
        );

    internal static ApiException Denied(string id, string cause) =>
        Bare(
            403,
            GrpcCode.PermissionDenied,
            "ERR_DIRECT_INVOKE",
            $"failed to invoke, id: {id}, err: rpc error: code = PermissionDenied desc = {cause}"
        );

    internal static ApiException Invoke(string id, string cause) =>
        Bare(500, GrpcCode.Internal, "ERR_DIRECT_INVOKE", $"failed to invoke, id: {id}, err: {cause}");
}
