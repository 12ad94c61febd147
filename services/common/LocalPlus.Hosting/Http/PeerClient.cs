using Dapr.Client;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>Calls another service by its app id, through this service's sidecar.</summary>
public static class PeerClient
{
    /// <summary>
    /// A client for one peer, with the sidecar's token, whose calls end before the request that they are made for, and
    /// tell the peer when: the SDK's own factory takes the token that it is given even where that is none, and then the
    /// sidecar refuses every call.
    /// </summary>
    /// <param name="all">This service's own, whose configuration says where its sidecar is.</param>
    /// <param name="appId">The peer's Dapr app id.</param>
    public static HttpClient Create(IServiceProvider all, string appId) =>
        new(
            new InTime
            {
                // By itself it takes the sidecar's token from the environment.
                InnerHandler = new InvocationHandler
                {
                    DaprEndpoint = SidecarAddress.Of(all.GetRequiredService<IConfiguration>()).ToString(),
                    InnerHandler = new HttpClientHandler(),
                },
            }
        )
        {
            BaseAddress = new Uri($"http://{appId}"),
        };

    /// <summary>The same for gRPC; the SDK takes the sidecar's token from the environment.</summary>
    public static CallInvoker CreateInvoker(IServiceProvider all, string appId) =>
        DaprClient.CreateInvocationInvoker(
            appId,
            SidecarAddress.GrpcOf(all.GetRequiredService<IConfiguration>()).ToString()
        );

    private sealed class InTime : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            if (RequestDeadline.Current is null)
            {
                return await base.SendAsync(request, cancellationToken);
            }

            var left = RequestDeadline.Within(AdmissionLimits.Answer);
            request.Headers.Add(RequestDeadline.Header, RequestDeadline.Format(left));
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            ended.CancelAfter(left);
            return await base.SendAsync(request, ended.Token);
        }
    }
}
