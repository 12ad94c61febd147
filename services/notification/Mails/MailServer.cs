using System.Net;
using System.Text.RegularExpressions;
using LocalPlus.Notification.Bounces;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// Where mails are handed over and as whom. LP_MAIL_SERVER is host:port, LP_MAIL_FROM the sender; mail_user and
/// mail_password are secrets, and may lack where the server wants none.
/// </summary>
/// <param name="IsHere">On this machine: without TLS, as nothing leaves it.</param>
/// <param name="Bounces">LP_MAIL_BOUNCES, where reports about mails go: each mail's have a token behind a plus. Null
/// for the sender.</param>
internal sealed record MailSettings(
    string Host,
    int Port,
    bool IsHere,
    MailboxAddress From,
    string? User,
    string? Password,
    MailboxAddress? Bounces = null
)
{
    /// <summary>What stands before the @ has 64 characters at most, with a token and a plus.</summary>
    private const int BouncesNameLength = 64 - 1 - SentTokens.Length;

    private const int PortOfTls = 465;
    private const int DefaultPort = 587;

    public SecureSocketOptions Security =>
        IsHere ? SecureSocketOptions.None
        : Port == PortOfTls ? SecureSocketOptions.SslOnConnect
        : SecureSocketOptions.StartTls;

    /// <summary>Throws where a setting is missing or says nothing that could be used.</summary>
    public static MailSettings Of(IConfiguration configuration)
    {
        var text = configuration["LP_MAIL_SERVER"];
        if (!Uri.TryCreate($"smtp://{text}", UriKind.Absolute, out var server) || server.Host.Length == 0)
        {
            throw new InvalidOperationException("LP_MAIL_SERVER is to be the mail server's host:port.");
        }

        if (!MailboxAddress.TryParse(configuration["LP_MAIL_FROM"], out var from))
        {
            throw new InvalidOperationException("LP_MAIL_FROM is to be the address that mails come from.");
        }

        var (user, password) = (configuration["Secrets:mail_user"], configuration["Secrets:mail_password"]);
        return (user is null) == (password is null)
            ? new(
                server.Host,
                server.Port < 0 ? DefaultPort : server.Port,
                IsLoopback(server),
                from,
                user,
                password,
                BouncesOf(configuration["LP_MAIL_BOUNCES"])
            )
            : throw new InvalidOperationException("The secrets mail_user and mail_password come together.");
    }

    /// <summary>Where reports about the mail with the token go: its return path (RFC 5321).</summary>
    public MailboxAddress ReturnPathOf(string token) =>
        Bounces is { } bounces ? new("", $"{bounces.LocalPart}+{token}@{bounces.Domain}") : From;

    private static MailboxAddress? BouncesOf(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : MailboxAddress.TryParse(text, out var bounces) && bounces.LocalPart.Length is > 0 and <= BouncesNameLength
            ? bounces
        : throw new InvalidOperationException(
            $"LP_MAIL_BOUNCES is to be an address with at most {BouncesNameLength} characters before the @."
        );

    internal static bool IsLoopback(Uri server) =>
        server.IsLoopback || (IPAddress.TryParse(server.Host, out var address) && IPAddress.IsLoopback(address));
}

/// <summary>
/// Hands mails to the mail server by SMTP. Dapr's binding for it carries one HTML body, no second form, no header and
/// no attachment (ADR 0051).
/// </summary>
internal sealed partial class MailServer(MailSettings settings)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public MailboxAddress From => settings.From;

    /// <summary>
    /// Throws <see cref="SmtpCommandException"/> when the server does not take it, and what <see cref="IsAway"/> knows
    /// when there is none.
    /// </summary>
    /// <param name="token">What a report about the mail gives back; see <see cref="SentTokens"/>.</param>
    public async Task SendAsync(MimeMessage message, string token, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Timeout);
        // Lists of revoked certificates lie at addresses that nothing here may reach.
        using var client = new SmtpClient { CheckCertificateRevocation = false };
        await client.ConnectAsync(settings.Host, settings.Port, settings.Security, deadline.Token);
        if (settings is { User: { } user, Password: { } password })
        {
            await client.AuthenticateAsync(user, password, deadline.Token);
        }

        await client.SendAsync(message, settings.ReturnPathOf(token), message.To.Mailboxes, deadline.Token);
        // It is taken: how the server says goodbye changes nothing.
        try
        {
            await client.DisconnectAsync(quit: true, deadline.Token);
        }
        catch (Exception parting)
            when (IsAway(parting) || parting is SmtpCommandException or OperationCanceledException)
        {
            client.Dispose();
        }
    }

    /// <summary>Whether the server, or the way to it, is what failed.</summary>
    public static bool IsAway(Exception exception) =>
        exception
            is SmtpProtocolException
                or MailKit.ServiceNotConnectedException
                or AuthenticationException
                or SslHandshakeException
                or IOException
                or System.Net.Sockets.SocketException
                or NotSupportedException;

    /// <summary>
    /// Whether the server says that there is no such mailbox, for good. What it has against us or against the message
    /// (RFC 3463: 5.6 and 5.7) is no fault of the address.
    /// </summary>
    public static bool IsBounce(SmtpCommandException refusal) =>
        refusal.ErrorCode == SmtpErrorCode.RecipientNotAccepted
        && (
            EnhancedStatus().Match(refusal.Message) is { Success: true } status
                ? (int)refusal.StatusCode >= FirstPermanent && status.ValueSpan is ['5', '.', '1', '.', ..] or "5.2.1"
                : refusal.StatusCode
                    is SmtpStatusCode.MailboxUnavailable
                        or SmtpStatusCode.UserNotLocalTryAlternatePath
                        or SmtpStatusCode.MailboxNameNotAllowed
        );

    private const int FirstPermanent = 500;

    [GeneratedRegex(@"\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")]
    private static partial Regex EnhancedStatus();
}
