using System.Net.Http.Headers;
using System.Text.Json;

namespace Dapr.Client;

internal sealed partial class DaprClientGrpc
{
    public override HttpClient CreateInvokableHttpClient(string? appId = null) =>
        CreateInvokeHttpClient(appId, httpEndpoint.AbsoluteUri, apiToken);

    public override HttpRequestMessage CreateInvokeMethodRequest(
        HttpMethod httpMethod, string appId, string methodName) =>
        CreateInvokeMethodRequest(httpMethod, appId, methodName, []);

    public override HttpRequestMessage CreateInvokeMethodRequest(
        HttpMethod httpMethod, string appId, string methodName,
        IReadOnlyCollection<KeyValuePair<string, string>> queryStringParameters)
    {
        ArgumentNullException.ThrowIfNull(httpMethod);
        ArgumentException.ThrowIfNullOrEmpty(appId);
        ArgumentNullException.ThrowIfNull(methodName);
        var query = string.Join('&', queryStringParameters.Select(
            parameter => $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(parameter.Value)}"));
        var path = $"/v1.0/invoke/{appId}/method/{methodName.TrimStart('/')}";
        var address = new Uri(httpEndpoint, query.Length == 0
            ? path
            : path + (path.Contains('?', StringComparison.Ordinal) ? '&' : '?') + query);
        var request = new HttpRequestMessage(httpMethod, address);
        AddToken(request);
        return request;
    }

    public override HttpRequestMessage CreateInvokeMethodRequest<TRequest>(
        HttpMethod httpMethod, string appId, string methodName,
        IReadOnlyCollection<KeyValuePair<string, string>> queryStringParameters, TRequest data)
    {
        var request = CreateInvokeMethodRequest(httpMethod, appId, methodName, queryStringParameters);
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(data, json))
        {
            Headers = { ContentType = new MediaTypeHeaderValue(Json, "utf-8") },
        };
        return request;
    }
}
