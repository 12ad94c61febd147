using System.Threading.Channels;
using LocalPlus.Hosting;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>
/// Sends events to merchants' endpoints. What is due is claimed in SQL, sent, and what came of it written, so whoever
/// dies in between loses its claim and the event is sent again under the same webhook-id: maybe twice, never not at
/// all. Failures are repeated (<see cref="WebhookBackoff"/>) until the event has arrived or is given up.
/// </summary>
internal sealed class WebhookSender(
    WebhookClaims claims,
    WebhookTransport transport,
    WebhookResults results,
    TimeProvider time,
    ILogger<WebhookSender> log
) : BackgroundService
{
    private const int MostResults = 200;

    /// <summary>How long an event waits at most for somebody to look.</summary>
    internal static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly Channel<DueDelivery> taken = Channel.CreateUnbounded<DueDelivery>();
    private readonly Channel<Sent> ended = Channel.CreateUnbounded<Sent>();
    private readonly SemaphoreSlim placesFree = new(0, 1);

    public override void Dispose()
    {
        placesFree.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll([
            ClaimAsync(stoppingToken),
            WriteAsync(stoppingToken),
            .. Enumerable.Range(0, WebhookLimits.Sends).Select(_ => SendAsync(stoppingToken)),
        ]);

    private async Task ClaimAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var due = await claims.TakeAsync(cancel);
                foreach (var delivery in due)
                {
                    await taken.Writer.WriteAsync(delivery, cancel);
                }

                if (due.Count == 0)
                {
                    await placesFree.WaitAsync(Poll, cancel);
                }
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                log.WebhooksStumbled(exception);
                await Task.Delay(Poll, time, cancel);
            }
        }
    }

    private async Task SendAsync(CancellationToken cancel)
    {
        while (true)
        {
            // Each delivery wakes one sender: ReadAllAsync would wake all that wait.
            var delivery = await taken.Reader.ReadAsync(cancel);
            await Failpoints.BeforeAsync("SendWebhook");
            await ended.Writer.WriteAsync(new Sent(delivery, await transport.SendAsync(delivery, cancel)), cancel);
        }
    }

    private async Task WriteAsync(CancellationToken cancel)
    {
        var batch = new List<Sent>();
        while (await ended.Reader.WaitToReadAsync(cancel))
        {
            while (batch.Count < MostResults && ended.Reader.TryRead(out var sent))
            {
                batch.Add(sent);
            }

            await WriteAsync(batch, cancel);
            foreach (var sent in batch)
            {
                claims.GiveBack(sent.Due);
            }

            batch.Clear();
            if (placesFree.CurrentCount == 0)
            {
                placesFree.Release();
            }
        }
    }

    /// <summary>
    /// What can not be written is sent again when its claim runs out; until then it is tried, as the database may be
    /// back.
    /// </summary>
    private async Task WriteAsync(IReadOnlyList<Sent> batch, CancellationToken cancel)
    {
        var until = time.GetUtcNow() + WebhookLimits.Lease;
        while (time.GetUtcNow() < until)
        {
            try
            {
                await results.WriteAsync(batch, cancel);
                return;
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                log.WebhooksStumbled(exception);
                await Task.Delay(Poll, time, cancel);
            }
        }
    }
}
