using System.Text;
using Dapr.Client;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// Hands a mail to Dapr's smtp binding. Throws <see cref="Dapr.DaprException"/> when it is not taken.
/// </summary>
internal sealed class SmtpBinding(DaprClient dapr)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public async Task SendAsync(string address, Mail mail, CancellationToken cancel)
    {
        // The binding keeps what one request says for the next one that does not say it, so every request says all of
        // it.
        var request = new BindingRequest("smtp", "create")
        {
            Data = Encoding.UTF8.GetBytes(mail.Html),
            Metadata =
            {
                ["emailTo"] = address,
                ["emailCC"] = "",
                ["emailBCC"] = "",
                ["subject"] = mail.Subject,
            },
        };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Timeout);
        await dapr.InvokeBindingAsync(request, deadline.Token);
    }
}
