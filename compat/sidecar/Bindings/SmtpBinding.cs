using System.Globalization;
using System.Text;
using System.Text.Json;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>An output binding could not do what was asked.</summary>
public sealed class BindingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a binding answers: bytes and metadata, either may be missing.</summary>
internal sealed record BindingAnswer(byte[]? Data, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>An output binding.</summary>
internal interface IOutputBinding : IComponent
{
    IReadOnlyList<string> Operations { get; }

    Task<BindingAnswer> InvokeAsync(
        string operation,
        ReadOnlyMemory<byte> data,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancel
    );
}

/// <summary>
/// bindings.smtp: operation create sends one HTML mail. Unlike daprd's, settings given with a request are not
/// remembered for the next one.
/// </summary>
internal sealed class SmtpBinding(Component definition) : IOutputBinding
{
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    private const int LowestPriority = 5;

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => [];

    public IReadOnlyList<string> Operations => ["create"];

    public Task InitAsync(CancellationToken cancel)
    {
        definition.Require("host");
        definition.Int("port", 587);
        var (user, password) = (definition.Get("user"), definition.Get("password"));
        return (user is null) != (password is null)
            ? throw new ComponentException(
                "smtp binding error: user and password fields are required in metadata together"
            )
            : Task.CompletedTask;
    }

    public async Task<BindingAnswer> InvokeAsync(
        string operation,
        ReadOnlyMemory<byte> data,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancel
    )
    {
        using var message = Compose(data.Span, metadata);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(SendTimeout);
        try
        {
            await SendAsync(message, limit.Token);
        }
        catch (Exception problem)
            when (problem
                    is SmtpCommandException
                        or SmtpProtocolException
                        or AuthenticationException
                        or IOException
                        or System.Net.Sockets.SocketException
                        or SslHandshakeException
                || (problem is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            throw new BindingException($"error from smtp binding, sending email failed: {problem.Message}", problem);
        }
        return new BindingAnswer(null, null);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task SendAsync(MimeMessage message, CancellationToken cancel)
    {
        using var client = new SmtpClient();
        if (definition.Flag("skipTLSVerify"))
        {
#pragma warning disable CA5359 // Asked for by the component, for mail catchers with a certificate of their own.
            client.ServerCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        await client.ConnectAsync(
            definition.Require("host"),
            definition.Int("port", 587),
            SecureSocketOptions.Auto,
            cancel
        );
        if (definition.Get("user") is { } user)
        {
            await client.AuthenticateAsync(user, definition.Get("password") ?? "", cancel);
        }
        await client.SendAsync(message, cancel);
        await client.DisconnectAsync(quit: true, cancel);
    }

    private MimeMessage Compose(ReadOnlySpan<byte> data, IReadOnlyDictionary<string, string> metadata)
    {
        string? Setting(string name) =>
            metadata.TryGetValue(name, out var own) && own.Length > 0 ? own : definition.Get(name);
        string Needed(string name) =>
            Setting(name)
            ?? throw new BindingException(
                $"smtp binding error: {name} property not supplied in configuration- or request-metadata"
            );

        var message = new MimeMessage { Subject = "" };
        try
        {
            message.From.Add(MailboxAddress.Parse(Needed("emailFrom")));
            AddAll(message.To, Needed("emailTo"));
            AddAll(message.Cc, Setting("emailCC"));
            AddAll(message.Bcc, Setting("emailBCC"));
        }
        catch (ParseException problem)
        {
            message.Dispose();
            throw new BindingException($"smtp binding error: {problem.Message}", problem);
        }
        message.Subject = Needed("subject");
        message.Headers.Add("X-Priority", Priority(Setting("priority")));
        message.Body = new TextPart("html") { Text = Body(data) };
        return message;
    }

    private static void AddAll(InternetAddressList list, string? addresses)
    {
        foreach (
            var address in (addresses ?? "").Split(
                ';',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            )
        )
        {
            list.Add(MailboxAddress.Parse(address));
        }
    }

    private static string Priority(string? text)
    {
        if (text is null)
        {
            return "3";
        }
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var priority)
            && priority is >= 1 and <= LowestPriority
            ? text
            : throw new BindingException(
                "smtp binding error: priority value must be between 1 (highest) and 5 (lowest)"
            );
    }

    /// <summary>Over HTTP a text comes as a JSON string, over gRPC as it is.</summary>
    private static string Body(ReadOnlySpan<byte> data)
    {
        if (data.Length >= 2 && data[0] == '"' && data[^1] == '"')
        {
            try
            {
                return JsonSerializer.Deserialize<string>(data) ?? "";
            }
            catch (JsonException)
            {
                // Not a JSON string after all.
            }
        }
        return Encoding.UTF8.GetString(data);
    }
}
