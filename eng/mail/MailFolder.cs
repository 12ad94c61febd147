using System.Buffers;
using System.Text.RegularExpressions;
using MimeKit;
using SmtpServer;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace LocalPlus.LocalMail;

/// <summary>
/// A Maildir: a message is a file in new/, written under another name first, so nobody reads half of one.
/// </summary>
internal sealed partial class MailFolder
{
    public const int MaxMessageBytes = 10 * 1024 * 1024;

    /// <summary>Shown on the page, the newest.</summary>
    private const int Listed = 200;
    private readonly string arrived;
    private readonly string arriving;

    public MailFolder(string root)
    {
        arrived = Directory.CreateDirectory(Path.Combine(root, "new")).FullName;
        arriving = Directory.CreateDirectory(Path.Combine(root, "tmp")).FullName;
        Directory.CreateDirectory(Path.Combine(root, "cur"));
    }

    public async Task AddAsync(ReadOnlySequence<byte> message, CancellationToken cancel)
    {
        // A version 7 id: names sort as messages came.
        var name = $"{Guid.CreateVersion7():N}";
        await using (var file = File.Create(Path.Combine(arriving, name)))
        {
            foreach (var part in message)
            {
                await file.WriteAsync(part, cancel);
            }
        }

        File.Move(Path.Combine(arriving, name), Path.Combine(arrived, name));
    }

    public IEnumerable<(string Name, MimeMessage Message)> Newest() =>
        new DirectoryInfo(arrived)
            .EnumerateFiles()
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .ThenByDescending(file => file.Name, StringComparer.Ordinal)
            .Take(Listed)
            .Select(file => (file.Name, MimeMessage.Load(file.FullName)));

    /// <summary>The message of that name, or null; a name is never a path.</summary>
    public MimeMessage? Find(string name)
    {
        var file = Path.Combine(arrived, name);
        return Name().IsMatch(name) && File.Exists(file) ? MimeMessage.Load(file) : null;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex Name();
}

/// <summary>Takes every message for every address.</summary>
internal sealed class MailStore(MailFolder folder) : MessageStore
{
    public override async Task<SmtpResponse> SaveAsync(
        ISessionContext context,
        IMessageTransaction transaction,
        ReadOnlySequence<byte> buffer,
        CancellationToken cancellationToken
    )
    {
        await folder.AddAsync(buffer, cancellationToken);
        return SmtpResponse.Ok;
    }
}
