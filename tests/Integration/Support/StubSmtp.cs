using System.Collections.Concurrent;
using System.Net;
using Dapr.Client.Autogen.Grpc.v1;
using Grpc.Core;
using LocalPlus.Compat.Protos;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A mail as the smtp binding was asked to send it.</summary>
public sealed record BoundMail(IReadOnlyDictionary<string, string> Metadata, string Body)
{
    public string To => Metadata["emailTo"];

    public string Subject => Metadata["subject"];
}

/// <summary>
/// The sidecar's gRPC API as far as mails need it: the smtp binding, with a mail server that can be away.
/// </summary>
public sealed class StubSmtp : IAsyncDisposable
{
    private readonly WebApplication app;

    private StubSmtp(WebApplication app, int port)
    {
        this.app = app;
        Port = port;
    }

    public int Port { get; }

    public ConcurrentQueue<BoundMail> Mails { get; } = new();

    /// <summary>False makes every mail fail, as without a mail server.</summary>
    public bool Up { get; set; } = true;

    /// <summary>What the next mails wait for on their way.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    public static async Task<StubSmtp> StartAsync()
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2)
        );
        builder.Services.AddOfficialGrpc<Binding>(Dapr.Client.Autogen.Grpc.v1.Dapr.Descriptor);
        builder.Services.AddSingleton<Binding>();
        var app = builder.Build();
        app.MapGrpcService<Binding>();
        var stub = new StubSmtp(app, port);
        app.Services.GetRequiredService<Binding>().Smtp = stub;
        await app.StartAsync();
        return stub;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private sealed class Binding
    {
        public StubSmtp? Smtp { get; set; }

        public async Task<InvokeBindingResponse> InvokeBinding(InvokeBindingRequest request, ServerCallContext context)
        {
            if (request is not { Name: "smtp", Operation: "create" } || Smtp is not { Up: true } smtp)
            {
                // As mail servers do, it says to whom and what it would not take.
                var refusal =
                    $"error invoking output binding smtp: 550 5.1.1 <{request.Metadata["emailTo"]}> unknown; {request.Data.ToStringUtf8()}";
                throw new RpcException(new Status(StatusCode.Internal, refusal));
            }

            await smtp.Hold;
            smtp.Mails.Enqueue(
                new BoundMail(new Dictionary<string, string>(request.Metadata), request.Data.ToStringUtf8())
            );
            return new InvokeBindingResponse();
        }
    }
}
