using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text.Json;
using LocalPlus.Hosting;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>
/// Sends one event to one endpoint: signed, to an address that is allowed, following nobody elsewhere, for
/// <see cref="WebhookLimits.SendTime"/> and <see cref="WebhookLimits.AnswerBytes"/> of an answer at most.
/// </summary>
internal sealed class WebhookTransport : IDisposable
{
    private const string ContentType = "application/cloudevents+json";
    private const int HeaderKilobytes = 16;
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(1);

    private readonly HttpClient http;
    private readonly WebhookSecrets secrets;
    private readonly TimeProvider time;

    public WebhookTransport(WebhookHosts hosts, WebhookSecrets secrets, TimeProvider time)
    {
        (this.secrets, this.time) = (secrets, time);
        http = new HttpClient(
            new SocketsHttpHandler
            {
                // The trace is ours and nobody else's.
                ActivityHeadersPropagator = null,
                AllowAutoRedirect = false,
                ConnectCallback = hosts.ConnectAsync,
                ConnectTimeout = ConnectTime,
                MaxResponseHeadersLength = HeaderKilobytes,
                PooledConnectionLifetime = ConnectionLife,
                UseCookies = false,
                // It would look names up for us.
                UseProxy = false,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LocalPlus-Webhooks", "1"));
    }

    public void Dispose() => http.Dispose();

    public async Task<SendResult> SendAsync(DueDelivery due, CancellationToken cancel)
    {
        var (at, started) = (time.GetUtcNow(), time.GetTimestamp());
        if (due.Event is not { } told)
        {
            return new SendResult(at, TimeSpan.Zero, "", null, "event_gone", []);
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(told, StrictJson.Options);
        var (id, timestamp) = (due.EventId.ToString(), at.ToUnixTimeSeconds());
        if (Sign(due, id, timestamp, body) is not { } signature)
        {
            return new SendResult(at, TimeSpan.Zero, "", null, "secret_unreadable", []);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, due.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(ContentType) { CharSet = "utf-8" };
        request.Headers.Add(WebhookSignature.IdHeader, id);
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader, signature);
        using var limit = new CancellationTokenSource(WebhookLimits.SendTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        var (status, error, answer) = await SendAsync(request, either.Token, cancel);
        return new SendResult(at, time.GetElapsedTime(started), signature, status, error, answer);
    }

    private async Task<(short? Status, string? Error, byte[] Answer)> SendAsync(
        HttpRequestMessage request,
        CancellationToken limit,
        CancellationToken cancel
    )
    {
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit);
            var status = (int)answer.StatusCode;
            var error = status switch
            {
                >= 200 and < 300 => null,
                >= 300 and < 400 => "redirected",
                _ => "refused",
            };
            return ((short)status, error, await BeginningAsync(answer, limit, cancel));
        }
        catch (HttpRequestException failure)
        {
            return (null, ErrorOf(failure), []);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (null, "timed_out", []);
        }
    }

    /// <summary>As much of an answer as came in time; its status has decided already.</summary>
    private static async Task<byte[]> BeginningAsync(
        HttpResponseMessage answer,
        CancellationToken limit,
        CancellationToken cancel
    )
    {
        var (bytes, read) = (new byte[WebhookLimits.AnswerBytes], 0);
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(limit);
            for (var more = -1; more != 0 && read < bytes.Length; read += more)
            {
                more = await stream.ReadAsync(bytes.AsMemory(read), limit);
            }
        }
        catch (Exception broken)
            when (broken is IOException or HttpRequestException or OperationCanceledException
                && !cancel.IsCancellationRequested
            )
        {
            Activity.Current?.AddEvent(new ActivityEvent("answer broken off"));
        }

        return bytes[..read];
    }

    private string? Sign(DueDelivery due, string id, long timestamp, byte[] body)
    {
        try
        {
            var secret = secrets.Open(due.WebhookId, due.Secret);
            return due.OldSecret is { } old
                ? WebhookSignature.Of(id, timestamp, body, secret, secrets.Open(due.WebhookId, old))
                : WebhookSignature.Of(id, timestamp, body, secret);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string ErrorOf(HttpRequestException failure) =>
        failure switch
        {
            { InnerException: HostRefusedException refused } => refused.Code,
            { InnerException: AuthenticationException } => "tls_failed",
            { HttpRequestError: HttpRequestError.SecureConnectionError } => "tls_failed",
            { HttpRequestError: HttpRequestError.ConnectionError } => "connection_failed",
            { HttpRequestError: HttpRequestError.NameResolutionError } => "host_unknown",
            _ => "answer_broken",
        };
}
