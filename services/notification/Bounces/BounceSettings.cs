using LocalPlus.Notification.Mails;
using MailKit.Security;

namespace LocalPlus.Notification.Bounces;

/// <summary>
/// The mailbox that reports about mails come to, by IMAP. LP_BOUNCE_SERVER is its host:port; bounce_user and
/// bounce_password are secrets.
/// </summary>
/// <param name="IsHere">On this machine: without TLS, as nothing leaves it.</param>
internal sealed record BounceSettings(string Host, int Port, bool IsHere, string User, string Password)
{
    private const int PortOfTls = 993;
    private const int PortOfStartTls = 143;

    public SecureSocketOptions Security =>
        IsHere ? SecureSocketOptions.None
        : Port == PortOfStartTls ? SecureSocketOptions.StartTls
        : SecureSocketOptions.SslOnConnect;

    /// <summary>Null where no mailbox is named. Throws where one is, and how to read it is not said.</summary>
    public static BounceSettings? Of(IConfiguration configuration)
    {
        if (configuration["LP_BOUNCE_SERVER"] is not { Length: > 0 } text)
        {
            return null;
        }

        if (!Uri.TryCreate($"imap://{text}", UriKind.Absolute, out var server) || server.Host.Length == 0)
        {
            throw new InvalidOperationException("LP_BOUNCE_SERVER is to be the host:port of the bounces' mailbox.");
        }

        return
            configuration["Secrets:bounce_user"] is { } user && configuration["Secrets:bounce_password"] is { } password
            ? new(
                server.Host,
                server.Port < 0 ? PortOfTls : server.Port,
                MailSettings.IsLoopback(server),
                user,
                password
            )
            : throw new InvalidOperationException("A bounces' mailbox needs the secrets bounce_user, bounce_password.");
    }
}
