using System.Security.Cryptography;
using LocalPlus.Hosting;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MimeKit;

namespace LocalPlus.Notification.Bounces;

/// <summary>
/// Job bounce-mailbox: takes the reports out of the mailbox that LP_BOUNCE_SERVER names; without it there is nothing to
/// do. A report is written down before it leaves the mailbox, and known when it is met again, so that a crash in
/// between loses and doubles nothing; runs at once share the mails. What is no report about a mail of ours, or can not
/// be read, goes into the folder <see cref="Aside"/> for a person.
/// </summary>
internal sealed class ReadBounceMailbox(
    IConfiguration configuration,
    SentTokens tokens,
    MailReports reports,
    ILogger<ReadBounceMailbox> log
) : IJob
{
    /// <summary>The oldest so many are read; the next run goes on.</summary>
    internal const int MailsPerRun = 500;

    /// <summary>A report has a mail of ours in it at most; what is larger is none.</summary>
    internal const int MaxBytes = 1024 * 1024;

    internal const string Aside = "Unmatched";

    /// <summary>Parts within parts; a report has three levels.</summary>
    private const int MaxDepth = 16;

    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);

    private enum Fate
    {
        Noted,
        Unmatched,
        Gone,
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        if (BounceSettings.Of(configuration) is not { } settings)
        {
            log.NoBounceMailbox();
            return;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(RunLimit);
        // Lists of revoked certificates lie at addresses that nothing here may reach.
        using var client = new ImapClient { CheckCertificateRevocation = false };
        await client.ConnectAsync(settings.Host, settings.Port, settings.Security, deadline.Token);
        await client.AuthenticateAsync(settings.User, settings.Password, deadline.Token);
        var inbox = client.Inbox;
        await inbox.OpenAsync(FolderAccess.ReadWrite, deadline.Token);
        var all = await inbox.SearchAsync(SearchQuery.All, deadline.Token);
        UniqueId[] oldest = [.. all.OrderBy(uid => uid.Id).Take(MailsPerRun)];
        var sizes =
            oldest.Length == 0
                ? []
                : await inbox.FetchAsync(
                    oldest,
                    MessageSummaryItems.UniqueId | MessageSummaryItems.Size,
                    deadline.Token
                );
        var (noted, unmatched) = (0, 0);
        foreach (var mail in sizes.OrderBy(mail => mail.UniqueId.Id))
        {
            switch (await TakeAsync(inbox, mail, deadline.Token))
            {
                case Fate.Noted:
                    await RemoveAsync(inbox, mail.UniqueId, deadline.Token);
                    noted++;
                    break;
                case Fate.Unmatched:
                    await inbox.MoveToAsync(mail.UniqueId, await AsideAsync(client, deadline.Token), deadline.Token);
                    unmatched++;
                    break;
            }
        }

        log.BounceMailboxRead(noted, unmatched, all.Count - noted - unmatched);
        await client.DisconnectAsync(quit: true, deadline.Token);
    }

    /// <summary>What becomes of a mail; what it says of one of ours is written down already.</summary>
    private async Task<Fate> TakeAsync(IMailFolder inbox, IMessageSummary mail, CancellationToken cancel)
    {
        if (mail.Size > MaxBytes)
        {
            return Fate.Unmatched;
        }

        try
        {
            using var bytes = new MemoryStream();
            await using (var source = await inbox.GetStreamAsync(mail.UniqueId, cancel))
            {
                await source.CopyToAsync(bytes, cancel);
            }

            bytes.Position = 0;
            var hash = await SHA256.HashDataAsync(bytes, cancel);
            bytes.Position = 0;
            var options = new ParserOptions { MaxMimeDepth = MaxDepth };
            using var message = await MimeMessage.LoadAsync(options, bytes, cancel);
            return
                MailReport.Read(message) is { } report
                && tokens.Find(report.Hints) is { } sent
                && await reports.NoteAsync(sent, report, hash, cancel)
                ? Fate.Noted
                : Fate.Unmatched;
        }
        catch (MessageNotFoundException)
        {
            // Another run was faster.
            return Fate.Gone;
        }
        catch (FormatException)
        {
            return Fate.Unmatched;
        }
    }

    private static async Task RemoveAsync(IMailFolder inbox, UniqueId uid, CancellationToken cancel)
    {
        await inbox.StoreAsync(
            uid,
            new StoreFlagsRequest(StoreAction.Add, MessageFlags.Deleted) { Silent = true },
            cancel
        );
        await inbox.ExpungeAsync([uid], cancel);
    }

    private static async Task<IMailFolder> AsideAsync(ImapClient client, CancellationToken cancel)
    {
        var top = client.GetFolder(client.PersonalNamespaces[0]);
        try
        {
            return await top.GetSubfolderAsync(Aside, cancel);
        }
        catch (FolderNotFoundException)
        {
            return await top.CreateAsync(Aside, isMessageFolder: true, cancel)
                ?? await top.GetSubfolderAsync(Aside, cancel);
        }
    }
}
