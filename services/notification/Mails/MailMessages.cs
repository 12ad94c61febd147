using MimeKit;
using MimeKit.Text;

namespace LocalPlus.Notification.Mails;

/// <summary>A file that goes with a mail.</summary>
/// <param name="MediaType">As text/calendar.</param>
internal sealed record MailFile(string Name, string MediaType, byte[] Content);

/// <summary>Finished mails in the form that servers take.</summary>
internal static class MailMessages
{
    /// <param name="id">Makes the Message-ID: a mail that comes twice after a crash is known to be one, and a report
    /// about it (ADR 0066).</param>
    /// <param name="unsubscribe">Where one POST unsubscribes (RFC 8058); null for none.</param>
    public static MimeMessage Compose(
        string id,
        MailboxAddress from,
        string to,
        Mail mail,
        DateTimeOffset now,
        Uri? unsubscribe = null,
        params IEnumerable<MailFile> files
    )
    {
        var message = new MimeMessage
        {
            Subject = mail.Subject,
            Date = now,
            MessageId = $"{id}@{from.Domain}",
        };
        message.From.Add(from);
        message.To.Add(new MailboxAddress("", to));
        message.Headers.Add("Auto-Submitted", "auto-generated");
        if (unsubscribe is not null)
        {
            message.Headers.Add(HeaderId.ListUnsubscribe, $"<{unsubscribe.AbsoluteUri}>");
            message.Headers.Add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }

        MimeEntity body = new MultipartAlternative(
            new TextPart(TextFormat.Plain) { Text = mail.Text },
            new TextPart(TextFormat.Html) { Text = mail.Html }
        );
        MimeEntity[] attached = [.. files.Select(Attach)];
        if (attached.Length > 0)
        {
            var mixed = new Multipart("mixed") { body };
            foreach (var part in attached)
            {
                mixed.Add(part);
            }

            body = mixed;
        }

        message.Body = body;
        return message;
    }

    private static MimePart Attach(MailFile file)
    {
        var part = new MimePart(ContentType.Parse(file.MediaType))
        {
            Content = new MimeContent(new MemoryStream(file.Content)),
            ContentDisposition = new ContentDisposition(ContentDisposition.Attachment),
            ContentTransferEncoding = ContentEncoding.Base64,
            FileName = file.Name,
        };
        return part;
    }
}
