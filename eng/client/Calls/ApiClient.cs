using System.Net.Http.Headers;
using System.Text;

namespace LocalPlus.Client.Calls;

/// <summary>
/// Sends requests to one address. What has an Idempotency-Key is sent again with it, a few times, when no answer came
/// or the API was too busy: the first try may have been served, and a repeat has no second effect.
/// </summary>
internal sealed class ApiClient(Uri address, HttpMessageHandler? handler = null) : IDisposable
{
    private const int Tries = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _http = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        BaseAddress = address,
        Timeout = Limit,
        DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("localplus", Build.Version) } },
    };

    public Uri Address => address;

    public async Task<ApiAnswer> SendAsync(ApiRequest request, string bearer, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await TryAsync(request, bearer, cancel);
            var isRepeated =
                request.IdempotencyKey is not null
                && (answer.IsUnknown || answer.Problem("code") == "request_in_progress");
            if (!isRepeated || attempt == Tries)
            {
                return answer;
            }

            await Task.Delay(Pause * attempt, cancel);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<ApiAnswer> TryAsync(ApiRequest request, string bearer, CancellationToken cancel)
    {
        using var message = new HttpRequestMessage(request.Method, request.Path);
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (request.IdempotencyKey is { } key)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        if (request.Version is { } version)
        {
            message.Headers.Add("If-Match", $"\"{version}\"");
        }

        message.Content = request switch
        {
            { Upload: var (text, media) } => new StringContent(text, Encoding.UTF8, media),
            { Body: { } body } => new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
            _ => null,
        };
        try
        {
            using var answer = await _http.SendAsync(message, cancel);
            return new ApiAnswer((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel))
            {
                RetryAfter = answer.Headers.RetryAfter?.ToString(),
            };
        }
        catch (HttpRequestException away)
        {
            // A connection that was not made carried nothing.
            var wasSent =
                away.HttpRequestError
                is not (
                    HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                );
            return new ApiAnswer(0, away.Message, wasSent);
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new ApiAnswer(0, $"no answer in {Limit.TotalSeconds:0} s");
        }
    }
}
