using Dapr.Client;

namespace LocalPlus.Hosting;

/// <summary>Calls another service by its app id, through this service's sidecar.</summary>
public static class PeerClient
{
    /// <summary>
    /// A client for one peer, with the sidecar's token: the SDK's own factory takes the token that it is given even
    /// where that is none, and then the sidecar refuses every call.
    /// </summary>
    /// <param name="appId">The peer's Dapr app id.</param>
    public static HttpClient Create(string appId) =>
#pragma warning disable RS0030 // Here, and nowhere else.
        DaprClient.CreateInvokeHttpClient(appId, daprApiToken: Environment.GetEnvironmentVariable("DAPR_API_TOKEN"));
#pragma warning restore RS0030
}
