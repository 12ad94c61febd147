using System.Text.RegularExpressions;
using Grpc.Core;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Grpc;

/// <summary>
/// Which service calls. Its sidecar says so in the metadata, and only sidecars reach this port (it takes their token).
/// A value that the service sent itself may stand before the sidecar's, which is the last.
/// </summary>
internal static partial class Callers
{
    public const string Header = "dapr-caller-app-id";

    public static Caller Of(ServerCallContext context)
    {
        var values = context.RequestHeaders.LastOrDefault(entry => entry.Key == Header)?.Value.Split(',');
        var appId = values?[^1].Trim() ?? "";
        return AppId().IsMatch(appId)
            ? Caller.Service(appId)
            : throw new FaultException(
                CommonFaults.Unauthenticated,
                $"The call does not say whose it is: {Header} is the sidecar's to set."
            );
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,39}$")]
    private static partial Regex AppId();
}
