using Dapr.DurableTask.Protobuf;
using Google.Protobuf;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>
/// History events as bytes: the answer of GetInstanceHistory is also the form in which a turn is stored.
/// </summary>
internal static class HistoryCodec
{
    public static byte[] Pack(IEnumerable<HistoryEvent> events) =>
        new GetInstanceHistoryResponse { Events = { events } }.ToByteArray();

    public static IEnumerable<HistoryEvent> Unpack(byte[] chunk) =>
        GetInstanceHistoryResponse.Parser.ParseFrom(chunk).Events;
}
