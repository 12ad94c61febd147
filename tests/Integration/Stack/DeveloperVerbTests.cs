using LocalPlus.Cli;
using LocalPlus.Client;
using LocalPlus.Tests.Integration.Notification;
using LocalPlus.Tests.Integration.Support;
using StandardWebhooks;

namespace LocalPlus.Tests.Integration.Stack;

/// <summary>What `./localplus` does for whoever writes a receiver, at a service that stands for the gateway.</summary>
public sealed class DeveloperVerbTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task Listen_hands_each_event_on_once_signed_as_a_webhook()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var secret = $"whsec_{Convert.ToBase64String(new byte[32])}";
        using var stop = new CancellationTokenSource();
        var listening = RunAsync(key, ["listen", "--forward", api.Receiver.Url(path), "--secret", secret], stop.Token);
        await Eventually.TrueAsync(async () =>
        {
            // It tells what happens from its start on, and nobody knows when that was.
            await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
            return listening.IsCompleted || api.Receiver.At(path).Length > 2;
        });
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listening);

        var received = api.Receiver.At(path);
        Assert.Equal(received.Length, received.Select(webhook => webhook.Id).Distinct().Count());
        Assert.All(received, webhook => new StandardWebhook(secret).Verify(webhook.Body, webhook.Headers));
    }

    [Fact]
    public async Task An_event_is_listed_sent_again_and_tested_by_verbs()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        await api.CreateAsync(key, path);
        var loaded = WebhookApi.Card("gift_card.loaded", shop);
        await api.TellAsync(loaded);
        var first = Assert.Single(await api.Receiver.ReceivedAsync(path, 1));

        Assert.Equal(ExitCodes.Ok, await RunAsync(key, ["events", "list", "--type", "gift_card.*", "--json"], default));
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await RunAsync(key, ["events", "resend", first.Id], default) == ExitCodes.Ok;
            }
            catch (CliFailure stillPending) when (stillPending.ExitCode == ExitCodes.Refused)
            {
                return false;
            }
        });
        Assert.Equal(ExitCodes.Ok, await RunAsync(key, ["trigger", "webhook_endpoint.test"], default));
        var received = await api.Receiver.ReceivedAsync(path, 3);

        Assert.Equal(2, received.Count(webhook => webhook.Id == first.Id));
        var failure = await Assert.ThrowsAsync<CliFailure>(() =>
            RunAsync("lp_test_nobody", ["events", "list"], default)
        );
        Assert.Equal(ExitCodes.Refused, failure.ExitCode);
    }

    private Task<int> RunAsync(string key, string[] words, CancellationToken cancel) =>
        Verbs.RunAsync([.. words, "--key", key, "--gateway", $"{api.Service.Public.BaseAddress}"], cancel);
}
