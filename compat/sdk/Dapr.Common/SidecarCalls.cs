using System.Diagnostics;
using Grpc.Core;

namespace Dapr.Common;

/// <summary>The headers that every gRPC call to the sidecar carries.</summary>
internal static class SidecarCalls
{
    public const string ApiTokenHeader = "dapr-api-token";

    private const string UserAgent = "dapr-sdk-dotnet/1.18.5";

    /// <summary>The token when there is one, and the current W3C trace in the three forms that sidecars understand.</summary>
    public static Metadata Headers(string? apiToken)
    {
        var headers = new Metadata { { "user-agent", UserAgent } };
        if (!string.IsNullOrWhiteSpace(apiToken))
        {
            headers.Add(ApiTokenHeader, apiToken);
        }

        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } activity)
        {
            headers.Add("traceparent", id);
            if (!string.IsNullOrEmpty(activity.TraceStateString))
            {
                headers.Add("tracestate", activity.TraceStateString);
            }

            headers.Add("grpc-trace-bin", TraceBin(activity));
        }

        return headers;
    }

    // Version 0, then field number and value: 0 trace id, 1 span id, 2 flags.
    private static byte[] TraceBin(Activity activity)
    {
        var bytes = new byte[29];
        activity.TraceId.CopyTo(bytes.AsSpan(2, 16));
        bytes[18] = 1;
        activity.SpanId.CopyTo(bytes.AsSpan(19, 8));
        bytes[27] = 2;
        bytes[28] = (byte)activity.ActivityTraceFlags;
        return bytes;
    }
}
