using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>
/// A call did not reach the application, or came back broken; the message is the cause as daprd words it.
/// </summary>
internal class InvokeException(string message, int grpcCode = Api.GrpcCode.Internal, Exception? inner = null)
    : Exception(message, inner)
{
    public int Code { get; } = grpcCode;
}

/// <summary>Where an invocation goes.</summary>
internal abstract class Target
{
    /// <summary>True when the callee is another application: caller and callee are named in headers.</summary>
    public abstract bool IsRemote { get; }

    public abstract string BaseAddress { get; }

    public abstract Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        bool grpc,
        CancellationToken cancel
    );

    protected static InvokeException Failed(HttpRequestMessage request, HttpRequestException problem, bool grpc)
    {
        var uri = request.RequestUri!;
        var cause = (problem.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => string.Create(
                CultureInfo.InvariantCulture,
                $"dial tcp {uri.Host}:{uri.Port}: connect: connection refused"
            ),
            _ when problem.HttpRequestError is HttpRequestError.ResponseEnded or HttpRequestError.Unknown => "EOF",
            _ => problem.Message,
        };
        if (grpc)
        {
            return new InvokeException(
                $"connection error: desc = \"transport: Error while dialing: {cause}\"",
                Api.GrpcCode.Unavailable,
                problem
            );
        }
        var verb = request.Method.Method;
        verb = verb[..1] + verb[1..].ToLowerInvariant();
        return new InvokeException(
            $"rpc error: code = Internal desc = error invoking app channel: {verb} \"{uri}\": {cause}",
            inner: problem
        );
    }
}

/// <summary>The application of a sidecar in this process: its own, or one beside it.</summary>
internal sealed class AppTarget(SidecarRuntime callee, bool remote) : Target
{
    public override bool IsRemote => remote;

    public override string BaseAddress => callee.Channel?.BaseAddress ?? "http://127.0.0.1";

    public override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        bool grpc,
        CancellationToken cancel
    )
    {
        if (remote)
        {
            Admit(request, grpc);
        }
        if (callee.Channel is not { } channel)
        {
            throw new InvokeException("cannot invoke local endpoint: app channel not initialized");
        }
        if (!channel.Healthy)
        {
            throw new InvokeException(
                grpc
                    ? "app is not in a healthy state"
                    : "rpc error: code = Internal desc = app is not in a healthy state"
            );
        }
        try
        {
            return grpc ? await channel.SendGrpcAsync(request, cancel) : await channel.SendAsync(request, cancel);
        }
        catch (HttpRequestException problem)
        {
            throw Failed(request, problem, grpc);
        }
    }

    /// <summary>
    /// Counts the call and asks the callee's access control. Behind whatever a client claims stands what its sidecar
    /// says.
    /// </summary>
    private void Admit(HttpRequestMessage request, bool grpc)
    {
        var caller = Header(request, "dapr-caller-app-id");
        callee.App.Counters.Add(Metric.InvocationsReceived, caller);
        var space = Header(request, "dapr-caller-namespace") is { Length: > 0 } named ? named : callee.App.Namespace;
        callee.Access?.Check(
            caller,
            space,
            Uri.UnescapeDataString(request.RequestUri!.AbsolutePath),
            grpc ? null : request.Method.Method
        );
    }

    private static string Header(HttpRequestMessage request, string name) =>
        request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString().Split(',')[^1].Trim() : "";
}

/// <summary>
/// A sidecar in another process, reached over its internal port; it hands the call to its application.
/// </summary>
internal sealed class PeerTarget(HttpMessageInvoker http, string address, Action gone) : Target
{
    /// <summary>Set by a peer on an answer that is its own and not its application's.</summary>
    public const string ErrorHeader = "dapr-standin-error";

    public override bool IsRemote => true;

    public override string BaseAddress { get; } = "http://" + address;

    public override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        bool grpc,
        CancellationToken cancel
    )
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, cancel);
        }
        catch (HttpRequestException problem)
        {
            gone();
            throw new InvokeException("no host found with the given ID", Api.GrpcCode.Unavailable, problem);
        }
        if (response.Headers.TryGetValues(ErrorHeader, out var values))
        {
            response.Dispose();
            var message = Uri.UnescapeDataString(values.First());
            throw response.StatusCode == HttpStatusCode.Forbidden
                ? new AccessDeniedException(message)
                : new InvokeException(message);
        }
        return response;
    }
}

/// <summary>A full URL in place of an app id. Redirects are followed.</summary>
internal sealed class UrlTarget(HttpMessageInvoker http, string baseAddress) : Target
{
    public override bool IsRemote => false;

    public override string BaseAddress => baseAddress;

    public override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        bool grpc,
        CancellationToken cancel
    )
    {
        try
        {
            return await http.SendAsync(request, cancel);
        }
        catch (HttpRequestException problem)
        {
            throw Failed(request, problem, grpc);
        }
    }
}
