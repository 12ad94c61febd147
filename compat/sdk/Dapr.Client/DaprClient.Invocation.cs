using Grpc.Core;
using Grpc.Net.Client;

namespace Dapr.Client;

// Service invocation: HTTP through the sidecar's invoke route, gRPC through its gRPC port with the app id as a header.
public abstract partial class DaprClient
{
    /// <summary>
    /// A client whose requests to <c>http://{appId}/path</c> go through the sidecar to that application.
    /// With <paramref name="appId"/> relative addresses go to it, and the case of its letters is kept.
    /// </summary>
    public static HttpClient CreateInvokeHttpClient(
        string? appId = null, string? daprEndpoint = null, string? daprApiToken = null)
    {
        var handler = new InvocationHandler
        {
            InnerHandler = new SocketsHttpHandler { UseProxy = false },
            DaprApiToken = daprApiToken ?? DaprDefaults.GetDefaultDaprApiToken(null),
            DefaultAppId = appId,
        };
        if (daprEndpoint is not null)
        {
            // Checked here, so that the caller and not the first request sees what is wrong with it.
            handler.DaprEndpoint = daprEndpoint;
        }

        var client = new HttpClient(handler, disposeHandler: true);
        if (appId is not null)
        {
            client.BaseAddress = Uri.TryCreate($"http://{appId}", UriKind.Absolute, out var address)
                ? address
                : throw new ArgumentException("The appId must be a valid hostname.", nameof(appId));
        }

        return client;
    }

    /// <summary>What generated gRPC clients of that application call on.</summary>
    public static CallInvoker CreateInvocationInvoker(
        string appId, string? daprEndpoint = null, string? daprApiToken = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(appId);
        var channel = GrpcChannel.ForAddress(daprEndpoint ?? DaprDefaults.GetDefaultGrpcEndpoint());
        return new InvocationInvoker(
            channel.CreateCallInvoker(), appId, daprApiToken ?? DaprDefaults.GetDefaultDaprApiToken(null));
    }

    public abstract HttpClient CreateInvokableHttpClient(string? appId = null);

    public HttpRequestMessage CreateInvokeMethodRequest(string appId, string methodName) =>
        CreateInvokeMethodRequest(HttpMethod.Post, appId, methodName);

    public HttpRequestMessage CreateInvokeMethodRequest(
        string appId, string methodName, IReadOnlyCollection<KeyValuePair<string, string>> queryStringParameters) =>
        CreateInvokeMethodRequest(HttpMethod.Post, appId, methodName, queryStringParameters);

    public abstract HttpRequestMessage CreateInvokeMethodRequest(HttpMethod httpMethod, string appId, string methodName);

    public abstract HttpRequestMessage CreateInvokeMethodRequest(
        HttpMethod httpMethod, string appId, string methodName,
        IReadOnlyCollection<KeyValuePair<string, string>> queryStringParameters);

    public HttpRequestMessage CreateInvokeMethodRequest<TRequest>(string appId, string methodName, TRequest data) =>
        CreateInvokeMethodRequest(HttpMethod.Post, appId, methodName, [], data);

    public abstract HttpRequestMessage CreateInvokeMethodRequest<TRequest>(
        HttpMethod httpMethod, string appId, string methodName,
        IReadOnlyCollection<KeyValuePair<string, string>> queryStringParameters, TRequest data);
}
