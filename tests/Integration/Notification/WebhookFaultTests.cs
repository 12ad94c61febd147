using System.Text.Json;
using LocalPlus.Notification.Mails;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class WebhookFaultTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task A_sender_that_dies_before_it_has_written_what_came_of_it_sends_again_under_the_same_id()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        await using var database = await TestDatabase.CreateAsync("notification", typeof(Mail).Assembly);
        await using (var dying = await StartAsync(database, ("LP_FAILPOINTS", "WriteWebhooks.before=crash")))
        {
            await dying.CallAsync(
                HttpMethod.Post,
                "/v1/webhook_endpoints",
                key,
                new { url = api.Receiver.Url(path) },
                201
            );
            await dying.DeliverAsync(WebhookApi.Cards, WebhookApi.Card("gift_card.loaded", shop));
            await api.Receiver.ReceivedAsync(path, 1, () => dying.Output);
        }

        await using var next = await StartAsync(database);
        // Its claim has run out.
        await database.AsOwnerAsync("UPDATE webhook_queue SET due_at = '-infinity'");
        var received = await api.Receiver.ReceivedAsync(path, 2, () => next.Output);

        Assert.Single(received.Select(webhook => webhook.Id).Distinct());
        await Eventually.TrueAsync(async () =>
            await database.ScalarAsync<string>("SELECT string_agg(state || attempts, ' ') FROM webhook_deliveries")
                == "delivered2"
            && await database.ScalarAsync<long>("SELECT count(*) FROM webhook_queue") == 0
        );
    }

    [Fact]
    public async Task T49_An_address_that_is_not_public_is_refused_when_it_is_sent_to()
    {
        var (shop, key) = api.NewMerchant();
        var id = Text(await api.CreateAsync(key, api.NewPath()), "id");
        await api.Api.Database.AsOwnerAsync(
            $"UPDATE webhook_endpoints SET url = 'http://169.254.169.254/latest' WHERE merchant_id = '{shop.Value}'"
        );

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var delivery = await api.DeliveryAsync(key, id, d => d.TryGetProperty("last_error", out _));

        Assert.Equal("address_not_public", Text(delivery, "last_error"));
        Assert.False(delivery.TryGetProperty("last_status", out _));
    }

    [Fact]
    public async Task T49_Nobody_is_followed_elsewhere()
    {
        var (shop, key) = api.NewMerchant();
        var (path, elsewhere) = (api.NewPath(), api.NewPath());
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(
            path,
            http =>
            {
                http.Response.Redirect(api.Receiver.Url(elsewhere), permanent: false, preserveMethod: true);
                return Task.CompletedTask;
            }
        );

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var delivery = await api.DeliveryAsync(key, id, d => d.TryGetProperty("last_error", out _));

        Assert.Equal(
            ("redirected", 307),
            (Text(delivery, "last_error"), delivery.GetProperty("last_status").GetInt32())
        );
        Assert.Empty(api.Receiver.At(elsewhere));
    }

    [Fact]
    public async Task T49_Of_an_answer_without_end_64_KB_are_kept()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(
            path,
            async http =>
            {
                var kilobyte = new string('x', 1024);
                while (!http.RequestAborted.IsCancellationRequested)
                {
                    await http.Response.WriteAsync(kilobyte, http.RequestAborted);
                }
            }
        );

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var delivered = await api.DeliveryAsync(key, id, "delivered");

        var delivery = await api.GetAsync(key, $"/v1/webhook_endpoints/{id}/deliveries/{Text(delivered, "event_id")}");
        var answer = Assert.Single(delivery.GetProperty("log").EnumerateArray()).GetProperty("answer");
        Assert.Equal((64 * 1024, true), (Text(answer, "body").Length, answer.GetProperty("truncated").GetBoolean()));
    }

    [Fact]
    public async Task A_server_that_is_not_there_or_speaks_no_HTTP_is_an_attempt_that_failed()
    {
        var (shop, key) = api.NewMerchant();
        var endpoint = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/webhook_endpoints",
            key,
            new { url = $"http://127.0.0.1:{LocalPlus.Servers.FreePort.Next()}/" },
            201
        );

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var delivery = await api.DeliveryAsync(key, Text(endpoint, "id"), d => d.TryGetProperty("last_error", out _));

        Assert.Equal("connection_failed", Text(delivery, "last_error"));
        Assert.Equal("pending", Text(delivery, "status"));
        Assert.True(delivery.TryGetProperty("next_attempt_at", out _));
    }

    private Task<RunningService> StartAsync(TestDatabase database, params (string, string)[] more) =>
        RunningService.StartAsync(
            typeof(Mail).Assembly.Location,
            database,
            api.Api.Sidecar.Port,
            api.Api.Smtp.Port,
            [("LP_WEBHOOK_LOOPBACK", "allow"), api.Api.Smtp.Setting, .. more]
        );

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
