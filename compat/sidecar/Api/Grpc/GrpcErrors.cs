using Google.Protobuf;
using Grpc.Core;

namespace LocalPlus.Sidecar.Api.Grpc;

/// <summary>Dapr's errors as gRPC statuses with google.rpc details.</summary>
internal static class GrpcErrors
{
    private const string DetailsHeader = "grpc-status-details-bin";
    private const string TypePrefix = "type.googleapis.com/google.rpc.";

    /// <summary>Runs a call and turns its refusal into a status.</summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (ApiException problem)
        {
            throw ToRpc(problem);
        }
    }

    public static RpcException ToRpc(ApiException problem) =>
        problem.GrpcDetails is { } details
            ? WithDetails(problem.Code, problem.Message, details)
            : new RpcException(new Status((StatusCode)problem.Code, problem.Message));

    public static RpcException WithDetails(int code, string message, ErrorDetails details) =>
        new(new Status((StatusCode)code, message), new Metadata { { DetailsHeader, Encode(code, message, details) } });

    /// <summary>
    /// A google.rpc.Status with the details, field by field: the messages are too few for generated code.
    /// </summary>
    public static byte[] Encode(int code, string message, ErrorDetails details) =>
        Message(status =>
        {
            status.WriteTag(1, WireFormat.WireType.Varint);
            status.WriteInt32(code);
            Text(status, 2, message);
            if (details.Violation is { } violation)
            {
                Any(
                    status,
                    "BadRequest",
                    body =>
                        Nested(
                            body,
                            1,
                            field =>
                            {
                                Text(field, 1, violation.Field);
                                Text(field, 2, violation.Description);
                            }
                        )
                );
            }
            if (details.Resource is { } resource)
            {
                Any(
                    status,
                    "ResourceInfo",
                    body =>
                    {
                        Text(body, 1, resource.Type);
                        Text(body, 2, resource.Name);
                        Text(body, 4, resource.Description);
                    }
                );
            }
            Any(
                status,
                "ErrorInfo",
                body =>
                {
                    Text(body, 1, details.Reason);
                    Text(body, 2, "dapr.io");
                    foreach (var (key, value) in details.Metadata ?? new Dictionary<string, string>())
                    {
                        Nested(
                            body,
                            3,
                            entry =>
                            {
                                Text(entry, 1, key);
                                Text(entry, 2, value);
                            }
                        );
                    }
                }
            );
        });

    private static void Any(CodedOutputStream output, string type, Action<CodedOutputStream> write) =>
        Nested(
            output,
            3,
            any =>
            {
                Text(any, 1, TypePrefix + type);
                any.WriteTag(2, WireFormat.WireType.LengthDelimited);
                any.WriteBytes(ByteString.CopyFrom(Message(write)));
            }
        );

    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(Message(write)));
    }

    private static void Text(CodedOutputStream output, int field, string text)
    {
        if (text.Length > 0)
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteString(text);
        }
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            write(output);
        }
        return buffer.ToArray();
    }
}
