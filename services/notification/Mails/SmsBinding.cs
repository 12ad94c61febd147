using System.Text;
using Dapr.Client;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// Hands an SMS to Dapr's binding "sms". Throws <see cref="Dapr.DaprException"/> when it is not taken.
/// </summary>
internal sealed class SmsBinding(DaprClient dapr)
{
    private const string Component = "sms";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <param name="number">As E.164 has it.</param>
    public async Task SendAsync(string number, string text, NotificationId id, CancellationToken cancel)
    {
        var request = new BindingRequest(Component, "create")
        {
            Data = Encoding.UTF8.GetBytes(text),
            Metadata =
            {
                // Providers go by the number; on a developer's machine it is a file of that name.
                ["toNumber"] = number,
                ["fileName"] = $"{number}-{id}.txt",
            },
        };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Timeout);
        await dapr.InvokeBindingAsync(request, deadline.Token);
    }
}
