using LocalPlus.Notification.Bounces;
using LocalPlus.Notification.Mails;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class MailServerTests
{
    [Theory]
    [InlineData(550, "5.1.1 <x@example.test> unknown", true)]
    [InlineData(550, "<x@example.test>: no such user", true)]
    [InlineData(553, "not allowed", true)]
    [InlineData(554, "5.1.10 no such domain takes mail", true)]
    [InlineData(550, "5.2.1 mailbox disabled", true)]
    [InlineData(550, "5.7.1 your network is blocked", false)]
    [InlineData(554, "5.7.1 relay denied", false)]
    [InlineData(554, "no", false)]
    [InlineData(552, "5.2.2 mailbox full", false)]
    [InlineData(451, "4.1.1 try later", false)]
    [InlineData(450, "mailbox busy", false)]
    public void A_bounce_is_an_address_that_takes_nothing_for_good(int status, string words, bool isBounce)
    {
        var refusal = new SmtpCommandException(
            SmtpErrorCode.RecipientNotAccepted,
            (SmtpStatusCode)status,
            new MimeKit.MailboxAddress("", "x@example.test"),
            words
        );

        Assert.Equal(isBounce, MailServer.IsBounce(refusal));
        var ofMessage = new SmtpCommandException(SmtpErrorCode.MessageNotAccepted, (SmtpStatusCode)status, words);
        Assert.False(MailServer.IsBounce(ofMessage));
    }

    [Theory]
    [InlineData("127.0.0.1:5703", "127.0.0.1", 5703, SecureSocketOptions.None)]
    [InlineData("localhost:25", "localhost", 25, SecureSocketOptions.None)]
    [InlineData("mail.example.test:587", "mail.example.test", 587, SecureSocketOptions.StartTls)]
    [InlineData("mail.example.test:465", "mail.example.test", 465, SecureSocketOptions.SslOnConnect)]
    [InlineData("mail.example.test", "mail.example.test", 587, SecureSocketOptions.StartTls)]
    public void Mail_that_leaves_the_machine_is_encrypted(
        string setting,
        string host,
        int port,
        SecureSocketOptions security
    )
    {
        var settings = MailSettings.Of(Configuration(("LP_MAIL_SERVER", setting)));

        Assert.Equal((host, port, security), (settings.Host, settings.Port, settings.Security));
        Assert.Equal("no-reply@example.test", settings.From.Address);
    }

    [Fact]
    public void Reports_go_to_the_sender_or_to_an_address_of_their_own_that_says_about_which_mail()
    {
        var token = new string('7', SentTokens.Length);
        var plain = MailSettings.Of(Configuration()).ReturnPathOf(token);
        var own = MailSettings.Of(Configuration(("LP_MAIL_BOUNCES", "mail-bounce@example.test"))).ReturnPathOf(token);

        Assert.Equal("no-reply@example.test", plain.Address);
        Assert.Equal($"mail-bounce+{token}@example.test", own.Address);
        Assert.Equal(64, own.LocalPart.Length);
    }

    [Theory]
    [InlineData("LP_MAIL_SERVER", "")]
    [InlineData("LP_MAIL_FROM", "nobody at all")]
    [InlineData("LP_MAIL_BOUNCES", "nobody at all")]
    [InlineData("LP_MAIL_BOUNCES", "twelve-chars@example.test")]
    [InlineData("Secrets:mail_user", "somebody")]
    public void A_setting_that_says_nothing_stops_the_start(string name, string value) =>
        Assert.Throws<InvalidOperationException>(() => MailSettings.Of(Configuration((name, value))));

    private static IConfiguration Configuration(params (string Name, string Value)[] more) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["LP_MAIL_SERVER"] = "127.0.0.1:25",
                    ["LP_MAIL_FROM"] = "LocalPlus <no-reply@example.test>",
                }
            )
            .AddInMemoryCollection(more.ToDictionary(setting => setting.Name, setting => (string?)setting.Value))
            .Build();
}
