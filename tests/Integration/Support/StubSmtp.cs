using System.Buffers;
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
using MimeKit;
using SmtpServer;
using SmtpServer.Mail;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>A mail as the mail server took it.</summary>
/// <param name="ReturnPath">Where reports about it go, as the envelope says.</param>
public sealed record BoundMail(MimeMessage Message, string ReturnPath)
{
    public string To => Message.To.ToString();

    public string Subject => Message.Subject!;

    /// <summary>The HTML of it.</summary>
    public string Body => Message.HtmlBody!;

    public string Text => Message.TextBody!;

    public string? Header(string name) => Message.Headers[name];

    /// <summary>The bytes of each file by its name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files =>
        Message
            .Attachments.OfType<MimePart>()
            .ToDictionary(
                part => part.FileName!,
                part =>
                {
                    using var bytes = new MemoryStream();
                    part.Content!.DecodeTo(bytes);
                    return bytes.ToArray();
                }
            );
}

/// <summary>An SMS as the binding was asked to send it.</summary>
public sealed record BoundSms(IReadOnlyDictionary<string, string> Metadata, string Text)
{
    public string To => Metadata["toNumber"];
}

/// <summary>
/// A mail server that can be away and knows nobody of some names, and the sidecar's gRPC API as far as SMS need it.
/// </summary>
public sealed class StubSmtp : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource ends = new();
    private Task serving = Task.CompletedTask;
    private int arriving;

    private StubSmtp(WebApplication app, int port)
    {
        this.app = app;
        Port = port;
    }

    /// <summary>The sidecar's.</summary>
    public int Port { get; }

    /// <summary>The mail server's.</summary>
    public int SmtpPort { get; } = FreePort.Next();

    public ConcurrentQueue<BoundMail> Mails { get; } = new();

    public ConcurrentQueue<BoundSms> Messages { get; } = new();

    /// <summary>Parts of addresses that the mail server does not know, for good.</summary>
    public ConcurrentDictionary<string, bool> Unknown { get; } = [];

    /// <summary>False makes every mail fail for now, as where the server has no room.</summary>
    public bool Up { get; set; } = true;

    /// <summary>Mails that were handed over and wait for <see cref="Hold"/>.</summary>
    public int Arriving => arriving;

    /// <summary>What the next mails wait for on their way.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    /// <summary>How a service is told of the mail server.</summary>
    public (string, string) Setting => ("LP_MAIL_SERVER", $"127.0.0.1:{SmtpPort}");

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
        stub.Serve();
        return stub;
    }

    public async ValueTask DisposeAsync()
    {
        await ends.CancelAsync();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
        ends.Dispose();
    }

    private void Serve()
    {
        var services = new SmtpServer.ComponentModel.ServiceProvider();
        services.Add(new Store(this));
        services.Add((IMailboxFilter)new Mailboxes(this));
        var options = new SmtpServerOptionsBuilder()
            .ServerName("localhost")
            .Endpoint(endpoint => endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, SmtpPort)))
            .Build();
        serving = new SmtpServer.SmtpServer(options, services).StartAsync(ends.Token);
    }

    private sealed class Mailboxes(StubSmtp smtp) : MailboxFilter
    {
        public override Task<bool> CanDeliverToAsync(
            ISessionContext context,
            IMailbox to,
            IMailbox from,
            CancellationToken cancellationToken
        ) =>
            smtp.Unknown.Keys.Any(part => to.User.Contains(part, StringComparison.Ordinal))
                ? throw new SmtpResponseException(
                    new SmtpResponse(SmtpReplyCode.MailboxUnavailable, $"5.1.1 <{to.User}@{to.Host}> unknown")
                )
                : Task.FromResult(true);
    }

    private sealed class Store(StubSmtp smtp) : MessageStore
    {
        private const SmtpReplyCode LocalError = (SmtpReplyCode)451;

        public override async Task<SmtpResponse> SaveAsync(
            ISessionContext context,
            IMessageTransaction transaction,
            ReadOnlySequence<byte> buffer,
            CancellationToken cancellationToken
        )
        {
            using var bytes = new MemoryStream(buffer.ToArray());
            var message = await MimeMessage.LoadAsync(bytes, cancellationToken);
            if (!smtp.Up)
            {
                // As mail servers do, it says to whom and what it would not take.
                var words = message.TextBody!.ReplaceLineEndings(" ");
                return new SmtpResponse(LocalError, $"5.1.1 <{message.To}> not now; {words}");
            }

            Interlocked.Increment(ref smtp.arriving);
            await smtp.Hold;
            smtp.Mails.Enqueue(new BoundMail(message, $"{transaction.From.User}@{transaction.From.Host}"));
            return SmtpResponse.Ok;
        }
    }

    private sealed class Binding
    {
        public StubSmtp? Smtp { get; set; }

        public Task<InvokeBindingResponse> InvokeBinding(InvokeBindingRequest request, ServerCallContext context)
        {
            if (request is not { Name: "sms", Operation: "create" } || Smtp is not { Up: true } smtp)
            {
                var refusal = $"error invoking output binding sms: {request.Data.ToStringUtf8()} is not taken";
                throw new RpcException(new Status(StatusCode.Internal, refusal));
            }

            smtp.Messages.Enqueue(
                new BoundSms(new Dictionary<string, string>(request.Metadata), request.Data.ToStringUtf8())
            );
            return Task.FromResult(new InvokeBindingResponse());
        }
    }
}
