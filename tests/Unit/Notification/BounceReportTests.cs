using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Notification.Bounces;
using LocalPlus.Notification.Readers;
using MailKit.Security;
using Microsoft.Extensions.Configuration;
using MimeKit;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class BounceReportTests
{
    private static readonly SentTokens Tokens = new(new AddressHashes(new string('k', 40)));
    private static readonly NotificationId Sent = NotificationId.New(TimeProvider.System);

    [Theory]
    [InlineData("failed", "5.1.1", "hard")]
    [InlineData("failed", "5.0.0", "hard")]
    [InlineData("Failed", "5.4.4 (unable to route)", "hard")]
    [InlineData("failed", "5.2.2", "refused")]
    [InlineData("failed", "5.2.3", "refused")]
    [InlineData("failed", "5.3.4", "refused")]
    [InlineData("failed", "5.6.1", "refused")]
    [InlineData("failed", "5.7.26", "refused")]
    [InlineData("failed", "4.4.1", "soft")]
    [InlineData("delayed", "4.2.0", "soft")]
    [InlineData("delivered", "2.0.0", null)]
    [InlineData("relayed", "2.0.0", null)]
    [InlineData("failed", "none", null)]
    [InlineData("failed", "15.1.1", null)]
    public void A_delivery_status_is_of_a_kind(string action, string status, string? kind)
    {
        var report = Read(Delivery(action, status));

        Assert.Equal(kind, report?.Kind);
        Assert.Equal(kind is null ? null : status.Split(' ')[0], report?.Status);
    }

    [Theory]
    [InlineData("abuse", "complaint")]
    [InlineData("Fraud", "complaint")]
    [InlineData("not-spam", null)]
    [InlineData("auth-failure", null)]
    [InlineData("virus", null)]
    public void A_complaint_is_one_only_when_it_complains(string type, string? kind) =>
        Assert.Equal(kind, Read(Complaint(type))?.Kind);

    [Fact]
    public void What_failed_for_good_goes_before_what_is_late()
    {
        var both = Delivery("delayed", "4.2.0")
            .Replace(
                "--x\r\nContent-Type: text/rfc822-headers",
                "\r\nFinal-Recipient: rfc822;b@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                    + "--x\r\nContent-Type: text/rfc822-headers",
                StringComparison.Ordinal
            );

        Assert.Equal(("hard", "5.1.1"), (Read(both)?.Kind, Read(both)?.Status));
    }

    [Theory]
    [InlineData("To: <bounces+{0}@mail.example.test>", "", "")]
    [InlineData("Delivered-To: BOUNCES+{0}@MAIL.EXAMPLE.TEST", "", "")]
    [InlineData("X-Original-To: bounces+{0}@mail.example.test", "", "")]
    [InlineData("X-Other: none", "Message-ID: <{0}@example.test>", "")]
    [InlineData("X-Other: none", "Return-Path: <bounces+{0}@mail.example.test>", "")]
    [InlineData("X-Other: none", "", "Original-Mail-From: <bounces+{0}@mail.example.test>")]
    public void A_token_is_found_where_reports_give_it_back(string head, string returned, string field)
    {
        var token = Tokens.Of(Sent).ToUpperInvariant();
        var text = field.Length > 0 ? Complaint("abuse") : Delivery("failed", "5.1.1");
        text = text.Replace("X-Head: x", Put(head), StringComparison.Ordinal)
            .Replace("X-Returned: x", Put(returned), StringComparison.Ordinal)
            .Replace("X-Field: x", Put(field), StringComparison.Ordinal);

        Assert.Equal(Sent, Tokens.Find(Read(text)!.Hints));

        string Put(string line) =>
            line.Length == 0 ? "X-None: x" : line.Replace("{0}", token, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_can_make_a_token_of_a_message_that_they_know_the_id_of()
    {
        var token = Tokens.Of(Sent);
        var other = new SentTokens(new AddressHashes(new string('x', 40))).Of(Sent);
        var ofAnother = Tokens.Of(NotificationId.New(TimeProvider.System));
        string[] forged =
        [
            other,
            token[..^1] + (token[^1] == '0' ? '1' : '0'),
            token[..26] + ofAnother[26..],
            token[..51],
            token + "0",
            Sent.ToString(),
            "",
        ];

        Assert.All(forged, text => Assert.Null(Tokens.Find([text, $"<bounces+{text}@mail.example.test>"])));
        Assert.Equal(Sent, Tokens.Find([.. forged, token]));
    }

    [Fact]
    public void What_is_no_report_is_none_whatever_it_quotes()
    {
        var token = Tokens.Of(Sent);
        var away = $"To: bounces+{token}@mail.example.test\r\nSubject: Away\r\n\r\nBack on Monday.\r\n";
        var empty = "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x--\r\n";

        Assert.Null(Read(away));
        Assert.Null(Read(empty));
    }

    [Theory]
    [InlineData("127.0.0.1:1430", 1430, SecureSocketOptions.None)]
    [InlineData("imap.example.test", 993, SecureSocketOptions.SslOnConnect)]
    [InlineData("imap.example.test:143", 143, SecureSocketOptions.StartTls)]
    public void A_mailbox_that_is_elsewhere_is_read_encrypted(string text, int port, SecureSocketOptions security)
    {
        var settings = BounceSettings.Of(Settings(("LP_BOUNCE_SERVER", text)))!;

        Assert.Equal((port, security), (settings.Port, settings.Security));
    }

    [Fact]
    public void Without_a_mailbox_there_is_none_and_one_without_a_login_stops()
    {
        Assert.Null(BounceSettings.Of(Settings()));
        Assert.Throws<InvalidOperationException>(() =>
            BounceSettings.Of(Settings(("LP_BOUNCE_SERVER", "imap.example.test"), ("Secrets:bounce_user", null)))
        );
    }

    private static IConfiguration Settings(params (string Name, string? Value)[] more) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Secrets:bounce_user"] = "bounces",
                    ["Secrets:bounce_password"] = "secret",
                }
            )
            .AddInMemoryCollection(more.ToDictionary(setting => setting.Name, setting => setting.Value))
            .Build();

    private static MailReport? Read(string text)
    {
        using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(text));
        using var mail = MimeMessage.Load(bytes);
        return MailReport.Read(mail);
    }

    private static string Delivery(string action, string status) =>
        $"""
            From: MAILER-DAEMON@relay.example.test
            X-Head: x
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status; boundary=x

            --x
            Content-Type: text/plain

            It could not be delivered.
            --x
            Content-Type: message/delivery-status

            Reporting-MTA: dns; relay.example.test

            Final-Recipient: rfc822;victim@example.test
            Action: {action}
            Status: {status}
            --x
            Content-Type: text/rfc822-headers

            X-Returned: x
            Subject: Your gift card
            --x--

            """.ReplaceLineEndings("\r\n");

    private static string Complaint(string type) =>
        $"""
            From: fbl@provider.example.test
            X-Head: x
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=x

            --x
            Content-Type: text/plain

            This is an email abuse report.
            --x
            Content-Type: message/feedback-report

            Feedback-Type: {type}
            User-Agent: Provider/1.0
            Version: 1
            X-Field: x
            --x
            Content-Type: message/rfc822

            X-Returned: x
            Subject: Your gift card

            Hello
            --x--

            """.ReplaceLineEndings("\r\n");
}
