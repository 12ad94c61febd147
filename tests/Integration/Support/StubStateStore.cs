using System.Collections.Concurrent;
using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// The sidecar's gRPC API as far as a state component needs it whose entries are written by whoever read them last.
/// </summary>
internal sealed class StubStateStore
{
    private readonly ConcurrentDictionary<string, (ByteString Value, long Version)> entries = new(
        StringComparer.Ordinal
    );

    /// <summary>False makes every call fail, as without the component.</summary>
    public bool Up { get; set; } = true;

    public IEnumerable<string> Keys => entries.Keys;

    public Task<GetStateResponse> GetState(GetStateRequest request, ServerCallContext context)
    {
        RequireUp();
        return Task.FromResult(
            entries.TryGetValue(request.Key, out var entry)
                ? new GetStateResponse { Data = entry.Value, Etag = $"{entry.Version}" }
                : new GetStateResponse()
        );
    }

    public Task<Empty> SaveState(SaveStateRequest request, ServerCallContext context)
    {
        RequireUp();
        foreach (var item in request.States)
        {
            var isWritten = item.Etag is { Value.Length: > 0 } seen
                ? entries.TryGetValue(item.Key, out var entry)
                    && $"{entry.Version}" == seen.Value
                    && entries.TryUpdate(item.Key, (item.Value, entry.Version + 1), entry)
                : entries.TryAdd(item.Key, (item.Value, 1));
            if (!isWritten)
            {
                throw new RpcException(new Status(StatusCode.Aborted, "possible etag mismatch"));
            }
        }

        return Task.FromResult(new Empty());
    }

    private void RequireUp()
    {
        if (!Up)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the state store does not answer"));
        }
    }
}
