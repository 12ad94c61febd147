using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Notification.Bounces;
using LocalPlus.Notification.Mails;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>Reports about mails, in a mailbox of Dovecot's, each test's its own.</summary>
public sealed class BounceMailboxTests(NotificationApi api) : IClassFixture<NotificationApi>, IAsyncLifetime
{
    private const string Suppressions = "/v1/notification_suppressions";
    private readonly string mailbox = $"bounces-{Guid.CreateVersion7():N}";
    private DovecotServer dovecot = null!;

    public async Task InitializeAsync() => dovecot = await DovecotServer.StartAsync();

    public async Task DisposeAsync() => await dovecot.DisposeAsync();

    [Fact]
    public async Task A_mail_that_bounces_later_suppresses_the_address_that_it_went_to_until_the_merchant_lifts_that()
    {
        var (shop, key) = api.NewMerchant("Later");
        var (gus, mail) = await SendAsync(shop);
        Assert.Matches("^bounces\\+[0-9a-z]{52}@mail.localplus.test$", mail.ReturnPath);
        // Whatever address the report names: another reader's is not touched.
        var (other, otherMail) = await SendAsync(shop);
        await PutAsync(Delivery("5.1.1", otherMail.To, mail.ReturnPath));
        await RunAsync();

        var only = Assert.Single(await SuppressedAsync(key));
        Assert.Equal(
            ("bounced", gus.ToString(), "c***@***.test"),
            (Text(only, "reason"), Text(only, "customer_id"), Text(only, "recipient"))
        );
        Assert.Equal((0, 0), await MailsAsync());
        var told = (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key)).GetProperty("data");
        Assert.Equal(
            ["sent", "sent address_bounced"],
            told.EnumerateArray()
                .Select(n => n.TryGetProperty("last_error", out var e) ? $"{Text(n, "status")} {e}" : Text(n, "status"))
                .Order(StringComparer.Ordinal)
        );
        await api.ActivateAsync(shop, gus);
        await api.ActivateAsync(shop, other);
        await Eventually.TrueAsync(() => api.MailsTo(other).Count() == 2, because: () => api.Service.Output);
        Assert.Single(api.MailsTo(gus));

        // A crash after the commit leaves the report where it was: it is known, and what was lifted stays so.
        await api.Service.CallAsync(HttpMethod.Delete, $"{Suppressions}/{Text(only, "id")}", key, status: 204);
        await PutAsync(Delivery("5.1.1", otherMail.To, mail.ReturnPath));
        await RunAsync();
        Assert.Empty(await SuppressedAsync(key));
        Assert.Equal((0, 0), await MailsAsync());
        Assert.Equal(1L, await ReportsAsync(shop));
    }

    [Fact]
    public async Task A_complaint_suppresses_too_and_what_is_late_is_only_noted()
    {
        var (shop, key) = api.NewMerchant("Unwanted");
        var (jo, complained) = await SendAsync(shop);
        var (_, late) = await SendAsync(shop);
        var (_, full) = await SendAsync(shop);
        await PutAsync(Complaint(complained));
        await PutAsync(Delivery("4.4.1", late.To, late.ReturnPath));
        await PutAsync(Delivery("5.2.2", full.To, full.ReturnPath));
        await RunAsync();

        var only = Assert.Single(await SuppressedAsync(key));
        Assert.Equal(("complained", jo.ToString()), (Text(only, "reason"), Text(only, "customer_id")));
        Assert.Equal(3L, await ReportsAsync(shop));
        Assert.Equal((0, 0), await MailsAsync());
        Assert.DoesNotContain("@holder.test", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forged_report_silences_nobody_and_is_put_aside_with_what_can_not_be_read()
    {
        var (shop, key) = api.NewMerchant("Forged");
        var (_, victim) = await SendAsync(shop);
        var id = await api.Database.ScalarAsync<Guid>(
            $"SELECT notification_id FROM notifications WHERE merchant_id = '{shop.Value}'"
        );
        var guess = $"{Base32.Format(id)}{new string('0', Base32.GuidLength)}";
        await PutAsync(Delivery("5.1.1", victim.To, "bounces@mail.localplus.test"));
        await PutAsync(Delivery("5.1.1", victim.To, $"bounces+{guess}@mail.localplus.test"));
        await PutAsync($"To: {victim.ReturnPath}\r\nSubject: I am away\r\n\r\nBack on Monday.\r\n");
        await PutAsync("\0\u0001 no mail at all \r\n\r\n\r\n");
        await PutAsync(
            Delivery("5.1.1", victim.To, victim.ReturnPath)
                .Replace("It could not", new string('x', ReadBounceMailbox.MaxBytes), StringComparison.Ordinal)
        );
        var output = await RunAsync();

        Assert.Empty(await SuppressedAsync(key));
        Assert.Equal(0L, await ReportsAsync(shop));
        Assert.Equal((0, 5), await MailsAsync());
        Assert.Contains("0 reports noted, 5 mails put aside, 0 left", output, StringComparison.Ordinal);
        await RunAsync();
        Assert.Equal((0, 5), await MailsAsync());
    }

    [Fact]
    public async Task Runs_at_once_take_each_report_once_and_what_died_before_its_commit_is_taken_again()
    {
        var (shop, key) = api.NewMerchant("Twice");
        var sent = new List<BoundMail>();
        for (var mails = 0; mails < 6; mails++)
        {
            sent.Add((await SendAsync(shop)).Mail);
        }

        foreach (var mail in sent)
        {
            await PutAsync(Delivery("5.1.1", mail.To, mail.ReturnPath));
        }

        await RunAsync(dies: "NoteReport.before");
        Assert.Equal((6, 0), await MailsAsync());
        Assert.Equal(0L, await ReportsAsync(shop));
        await RunAsync(dies: "NoteReport.committed");
        Assert.Equal((6, 0), await MailsAsync());
        Assert.Equal(1L, await ReportsAsync(shop));
        await Task.WhenAll(RunAsync(), RunAsync());

        Assert.Equal((0, 0), await MailsAsync());
        Assert.Equal(6, (await SuppressedAsync(key)).Count);
        Assert.Equal(6L, await ReportsAsync(shop));
        var runs = await api.Service.CallAsync(
            HttpMethod.Get,
            "/ops/v1/notification/jobs?name=bounce-mailbox&limit=2",
            api.Operator("viewer")
        );
        Assert.All(runs.GetProperty("data").EnumerateArray(), run => Assert.Equal("done", Text(run, "outcome")));
    }

    [Fact]
    public async Task Without_a_mailbox_the_job_has_nothing_to_do() =>
        Assert.Contains(
            "no bounce mailbox",
            await RunAsync(settings: ("LP_BOUNCE_SERVER", "")),
            StringComparison.Ordinal
        );

    private async Task<(CustomerId Reader, BoundMail Mail)> SendAsync(MerchantId shop)
    {
        var reader = api.NewCustomer("Reader");
        await api.ActivateAsync(shop, reader);
        var mail = await api.MailToAsync(reader);
        await Eventually.TrueAsync(
            async () =>
                await api.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM notifications WHERE merchant_id = '{shop.Value}' AND state = 'pending'"
                ) == 0,
            because: () => api.Service.Output
        );
        return (reader, mail);
    }

    /// <summary>Runs the job in a process of its own; what it printed.</summary>
    /// <param name="dies">The failpoint at which it is killed.</param>
    private async Task<string> RunAsync(string? dies = null, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Mail).Assembly.Location, "job", "bounce-mailbox"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string Name, string Value)[] all =
        [
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            ("Secrets__database", api.Database.ConnectionString),
            ("Secrets__fingerprint_keys", $"1:{new string('f', 40)}"),
            ("Secrets__address_key", new string('a', 40)),
            ("Secrets__bounce_user", mailbox),
            ("Secrets__bounce_password", DovecotServer.Password),
            ("LP_BOUNCE_SERVER", $"127.0.0.1:{dovecot.Port}"),
            ("DAPR_HTTP_PORT", $"{api.Sidecar.Port}"),
            ("DAPR_GRPC_PORT", $"{api.Smtp.Port}"),
            ("LP_PUBLIC_PORT", $"{FreePort.Next()}"),
            ("APP_PORT", $"{FreePort.Next()}"),
            ("APP_API_TOKEN", RunningService.AppToken),
            .. settings,
        ];
        foreach (var (name, value) in all)
        {
            start.Environment[name] = value;
        }

        if (dies is not null)
        {
            start.Environment["LP_FAILPOINTS"] = $"{dies}=crash";
        }

        using var job = Process.Start(start)!;
        var output = job.StandardOutput.ReadToEndAsync();
        var errors = job.StandardError.ReadToEndAsync();
        await job.WaitForExitAsync();
        var text = await output + await errors;
        Assert.True(dies is null == (job.ExitCode == 0), $"{job.ExitCode}: {text}");
        return text;
    }

    private Task PutAsync(string mail) => dovecot.DeliverAsync(mailbox, mail);

    /// <summary>How many mails wait, and how many were put aside.</summary>
    private async Task<(int Waiting, int Aside)> MailsAsync()
    {
        using var client = await ConnectAsync();
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        var waiting = client.Inbox.Count;
        var top = client.GetFolder(client.PersonalNamespaces[0]);
        var aside = (await top.GetSubfoldersAsync()).SingleOrDefault(f => f.Name == ReadBounceMailbox.Aside);
        if (aside is null)
        {
            return (waiting, 0);
        }

        await aside.OpenAsync(FolderAccess.ReadOnly);
        return (waiting, aside.Count);
    }

    private async Task<ImapClient> ConnectAsync()
    {
        var client = new ImapClient();
        await client.ConnectAsync("127.0.0.1", dovecot.Port, SecureSocketOptions.None);
        await client.AuthenticateAsync(mailbox, DovecotServer.Password);
        return client;
    }

    private async Task<IReadOnlyList<JsonElement>> SuppressedAsync(string key) =>
        [.. (await api.Service.CallAsync(HttpMethod.Get, Suppressions, key)).GetProperty("data").EnumerateArray()];

    private Task<long> ReportsAsync(MerchantId shop) =>
        api.Database.ScalarAsync<long>(
            $"""
            SELECT count(*)
              FROM notification_reports r
              JOIN notifications n
                ON n.notification_id = r.notification_id
             WHERE n.merchant_id = '{shop.Value}'
            """
        );

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static string Delivery(string status, string reader, string returnPath) =>
        $"""
            From: MAILER-DAEMON@relay.test
            To: <{returnPath}>
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status; boundary=x

            --x
            Content-Type: text/plain

            It could not be delivered.
            --x
            Content-Type: message/delivery-status

            Reporting-MTA: dns; relay.test

            Final-Recipient: rfc822;{reader}
            Action: failed
            Status: {status}
            --x--

            """.ReplaceLineEndings("\r\n");

    /// <summary>Of a provider that gives the mail back and says nothing of its return path.</summary>
    private static string Complaint(BoundMail mail) =>
        $"""
            From: fbl@provider.test
            To: abuse@localplus.test
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=x

            --x
            Content-Type: text/plain

            This is an email abuse report.
            --x
            Content-Type: message/feedback-report

            Feedback-Type: abuse
            User-Agent: Provider/1.0
            Version: 1
            --x
            Content-Type: message/rfc822

            Message-ID: <{mail.Message.MessageId}>
            Subject: {mail.Subject}

            Hello
            --x--

            """.ReplaceLineEndings("\r\n");
}
