using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>One call: an HTTP/2 request, and the status that ends it. The first end that is found counts.</summary>
internal abstract class GrpcCall : IDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(int.MaxValue);
    private static readonly MediaTypeHeaderValue GrpcContent = new(Headers.ContentType);
    private static readonly ProductInfoHeaderValue UserAgent = new("grpc-localplus", "0.1.0");

    private readonly GrpcChannel channel;
    private readonly CallOptions options;

    // The caller's token, the deadline and Dispose all end here; Token stays usable when the source is disposed.
    private readonly CancellationTokenSource cancellation;
    private Task<HttpResponseMessage> response = null!;
    private Outcome? outcome;
    private bool stopped;

    protected GrpcCall(GrpcChannel channel, CallOptions options)
    {
        this.channel = channel;
        this.options = options;
        cancellation = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        Token = cancellation.Token;
    }

    public CancellationToken Token { get; }

    public Status Status => Ended("status").Status;

    public Metadata Trailers => Ended("trailers").Trailers;

    protected int? MaxReceiveSize => channel.Options.MaxReceiveMessageSize;

    /// <summary>Sends the request. Failures show when the response is read.</summary>
    public void Start(string path, string? host, HttpContent content)
    {
        response = SendAsync(Request(path, host, content));

        // A stream that nobody reads has nobody to hear of the failure.
        _ = response.ContinueWith(
            static failed => failed.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public async Task<Metadata> ResponseHeadersAsync()
    {
        var headers = new Metadata();
        AddTo(headers, (await response).Headers);
        return headers;
    }

    public void Dispose()
    {
        if (outcome is null)
        {
            Stop();
            Finish(new Status(StatusCode.Cancelled, "gRPC call disposed."), Metadata.Empty);
        }
    }

    /// <summary>Ends the call from this side.</summary>
    public void Stop()
    {
        stopped = true;
        if (outcome is null)
        {
            cancellation.Cancel();
        }
    }

    /// <summary>The exception to throw for <paramref name="cause"/>, which ends the call if nothing has ended it yet.</summary>
    public Exception Fail(Exception cause)
    {
        Finish(StatusOf(cause), (cause as RpcException)?.Trailers ?? Metadata.Empty);
        return Failure(outcome!);
    }

    /// <summary>The exception for a write that failed. The response may still tell why, so the call is not over.</summary>
    public Exception WriteFailure(Exception cause) =>
        Failure(outcome ?? new Outcome(StatusOf(cause), Metadata.Empty));

    protected async Task<PipeReader> OpenAsync()
    {
        var message = await response;
        return PipeReader.Create(await message.Content.ReadAsStreamAsync(Token));
    }

    /// <summary>Reads the status after the last message; throws unless it is OK.</summary>
    protected async Task CompleteAsync(bool messageMissing)
    {
        var message = await response;
        var trailersOnly = message.Headers.NonValidated.Contains(Headers.Status);
        var source = trailersOnly ? message.Headers : message.TrailingHeaders;
        var trailers = new Metadata();
        AddTo(trailers, source);
        var status = ReadStatus(source);
        Finish(
            messageMissing && status.StatusCode == StatusCode.OK
                ? new Status(StatusCode.Internal, "Failed to deserialize response message.")
                : status,
            trailers);
        ThrowUnlessOk();
    }

    protected bool IsOver => outcome is not null;

    protected void ThrowUnlessOk()
    {
        if (outcome is { Status.StatusCode: not StatusCode.OK } failed)
        {
            throw Failure(failed);
        }
    }

    private Outcome Ended(string what) =>
        outcome ?? throw new InvalidOperationException($"Unable to get the {what} because the call is not complete.");

    private HttpRequestMessage Request(string path, string? host, HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, channel.UriOf(path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = GrpcContent;
        request.Headers.Host = host;
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.UserAgent.Add(UserAgent);
        foreach (var entry in options.Headers ?? Metadata.Empty)
        {
            request.Headers.TryAddWithoutValidation(entry.Key, Headers.Encode(entry));
        }

        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
        {
            SetDeadline(request, deadline);
        }

        return request;
    }

    private void SetDeadline(HttpRequestMessage request, DateTime deadline)
    {
        if (deadline.Kind != DateTimeKind.Utc)
        {
            throw new InvalidOperationException("Deadline must have a kind DateTimeKind.Utc or be equal to DateTime.MaxValue.");
        }

        var left = deadline - DateTime.UtcNow;
        if (left <= TimeSpan.Zero)
        {
            cancellation.Cancel();
            return;
        }

        request.Headers.TryAddWithoutValidation(Headers.Timeout, Headers.EncodeTimeout(left));
        cancellation.CancelAfter(left < LongestTimer ? left : LongestTimer);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        try
        {
            var message = await channel.SendAsync(request, Token);
            return Headers.IsGrpc(message.Content.Headers.ContentType?.MediaType) && message.StatusCode == HttpStatusCode.OK
                ? message
                : throw new RpcException(NotGrpc(message));
        }
        catch (Exception e)
        {
            throw Fail(e);
        }
    }

    private void Finish(Status status, Metadata trailers)
    {
        if (Interlocked.CompareExchange(ref outcome, new Outcome(status, trailers), null) is not null)
        {
            return;
        }

        if (response is { IsCompletedSuccessfully: true })
        {
            response.Result.Dispose();
        }

        // Lets go of a request stream that is still open.
        cancellation.Cancel();
        cancellation.Dispose();
    }

    private Exception Failure(Outcome failed)
    {
        var error = new RpcException(failed.Status, failed.Trailers);
        return failed.Status.DebugException is OperationCanceledException && channel.Options.ThrowOperationCanceledOnCancellation
            ? new OperationCanceledException(failed.Status.Detail, error, options.CancellationToken)
            : error;
    }

    private Status StatusOf(Exception cause)
    {
        if (cause is RpcException known)
        {
            return known.Status;
        }

        if (!Token.IsCancellationRequested)
        {
            return new Status(CodeOf(cause), $"{cause.GetType().Name}: {cause.Message}", cause);
        }

        var cancelled = cause as OperationCanceledException ?? new OperationCanceledException(cause.Message, cause);
        return stopped || options.CancellationToken.IsCancellationRequested
            ? new Status(StatusCode.Cancelled, "Call canceled by the client.", cancelled)
            : new Status(StatusCode.DeadlineExceeded, "", cancelled);
    }

    private static StatusCode CodeOf(Exception cause)
    {
        for (var e = cause; e is not null; e = e.InnerException)
        {
            if (e is HttpProtocolException http2)
            {
                return http2.ErrorCode switch
                {
                    0x7 => StatusCode.Unavailable, // REFUSED_STREAM
                    0x8 => StatusCode.Cancelled,
                    0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
                    0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
                    _ => StatusCode.Internal,
                };
            }
        }

        return cause is HttpRequestException or IOException ? StatusCode.Unavailable : StatusCode.Internal;
    }

    private static Status NotGrpc(HttpResponseMessage message)
    {
        var code = message.StatusCode switch
        {
            HttpStatusCode.BadRequest => StatusCode.Internal,
            HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
            HttpStatusCode.NotFound => StatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
                or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
            HttpStatusCode.OK => StatusCode.Cancelled,
            _ => StatusCode.Unknown,
        };
        return new Status(code, message.StatusCode == HttpStatusCode.OK
            ? $"Bad gRPC response. Invalid content-type value: {message.Content.Headers.ContentType}"
            : $"Bad gRPC response. HTTP status code: {(int)message.StatusCode}");
    }

    private static Status ReadStatus(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(Headers.Status, out var code)
            || !int.TryParse(code.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return new Status(StatusCode.Cancelled, "No grpc-status found on response.");
        }

        var detail = headers.NonValidated.TryGetValues(Headers.Message, out var text) ? text.ToString() : "";
        return new Status((StatusCode)number, Headers.DecodeMessage(detail));
    }

    private static void AddTo(Metadata metadata, HttpResponseHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            if (!Headers.IsReserved(name))
            {
                foreach (var value in values)
                {
                    Headers.Add(metadata, name, value);
                }
            }
        }
    }

    private sealed record Outcome(Status Status, Metadata Trailers);
}

/// <summary>One call and its responses.</summary>
internal sealed class GrpcCall<TResponse>(GrpcChannel channel, CallOptions options, Marshaller<TResponse> marshaller)
    : GrpcCall(channel, options), IAsyncStreamReader<TResponse>
    where TResponse : class
{
    private readonly CancellationToken callToken = options.CancellationToken;
    private PipeReader? reader;
    private TResponse? current;

    public TResponse Current => current ?? throw new InvalidOperationException("No message has been read.");

    /// <summary>The only response.</summary>
    public async Task<TResponse> ReadSingleAsync()
    {
        try
        {
            reader = await OpenAsync();
            var message = await ReadAsync(reader);
            if (message is not null && await ReadAsync(reader) is not null)
            {
                throw new RpcException(new Status(StatusCode.Internal, "More than one message received."));
            }

            await CompleteAsync(messageMissing: message is null);
            return message!;
        }
        catch (Exception e)
        {
            throw Fail(e);
        }
        finally
        {
            await CloseAsync();
        }
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ThrowUnlessOk();
        if (IsOver)
        {
            return false;
        }

        using var _ = cancellationToken == callToken
            ? default
            : cancellationToken.UnsafeRegister(static call => ((GrpcCall)call!).Stop(), this);
        try
        {
            reader ??= await OpenAsync();
            current = await ReadAsync(reader);
            if (current is not null)
            {
                return true;
            }

            await CompleteAsync(messageMissing: false);
            await CloseAsync();
            return false;
        }
        catch (Exception e)
        {
            await CloseAsync();
            throw Fail(e);
        }
    }

    private ValueTask<TResponse?> ReadAsync(PipeReader from) =>
        Frames.ReadAsync(from, marshaller.ContextualDeserializer, MaxReceiveSize, Token);

    // Only the reading side does this: the buffers must not go back to the pool under a read.
    private async ValueTask CloseAsync()
    {
        if (reader is not null)
        {
            await reader.CompleteAsync();
        }
    }
}
