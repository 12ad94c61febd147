using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class WebhookDeliveryTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task An_event_is_sent_as_it_is_listed_and_verified_by_the_library_of_Standard_Webhooks()
    {
        var (shop, key) = api.NewMerchant();
        var (stranger, _) = api.NewMerchant();
        var path = api.NewPath();
        var endpoint = await api.CreateAsync(key, path, new { event_types = new[] { "gift_card.loaded" } });
        var loaded = WebhookApi.Card("gift_card.loaded", shop, sequence: 7);

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", stranger));
        await api.TellAsync(WebhookApi.Card("gift_card.blocked", shop));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => api.TellAsync(loaded)));
        var received = Assert.Single(await api.Receiver.ReceivedAsync(path, 1, () => api.Service.Output));

        new StandardWebhook(Text(endpoint, "secret")).Verify(received.Body, received.Headers);
        Assert.Throws<WebhookVerificationException>(() =>
            new StandardWebhook(Text(endpoint, "secret")).Verify(received.Body + " ", received.Headers)
        );
        Assert.Equal(loaded.Id.ToString(), received.Id);
        Assert.Equal("application/cloudevents+json; charset=utf-8", received.Headers["content-type"].ToString());
        Assert.False(received.Headers.ContainsKey("traceparent"));
        var listed = await api.GetAsync(key, $"/v1/events/{loaded.Id}");
        Assert.True(JsonElement.DeepEquals(listed, received.Event), $"{listed}\n{received.Body}");
        Assert.Equal(7, received.Event.GetProperty("sequence").GetInt64());
        var delivery = await api.DeliveryAsync(key, Text(endpoint, "id"), "delivered");
        Assert.Equal(
            (1, 204),
            (delivery.GetProperty("attempts").GetInt32(), delivery.GetProperty("last_status").GetInt32())
        );
    }

    [Fact]
    public async Task While_a_secret_changes_over_both_sign()
    {
        var (_, key) = api.NewMerchant();
        var path = api.NewPath();
        var made = await api.CreateAsync(key, path, new { event_types = new[] { "redemption.*" } });
        await api.CreateAsync(key, api.NewPath() + "-other");
        var id = Text(made, "id");

        var rolled = await api.PostAsync(key, $"/v1/webhook_endpoints/{id}/roll_secret", status: 201);
        await api.PostAsync(key, $"/v1/webhook_endpoints/{id}/test");
        var received = (await api.Receiver.ReceivedAsync(path, 1)).Single();

        Assert.NotEqual(Text(made, "secret"), Text(rolled, "secret"));
        var signatures = received.Headers["webhook-signature"].ToString().Split(' ');
        Assert.Equal(2, signatures.Length);
        foreach (var (secret, signature) in new[] { Text(rolled, "secret"), Text(made, "secret") }.Zip(signatures))
        {
            new StandardWebhook(secret).Verify(
                received.Body,
                new HeaderDictionary(received.Headers.ToDictionary()) { ["webhook-signature"] = signature }
            );
        }

        Assert.Equal("webhook_endpoint.test", Text(received.Event, "type"));
        Assert.DoesNotContain(api.Receiver.All, webhook => webhook.Path.EndsWith("-other", StringComparison.Ordinal));
        var once = await api.PostAsync(
            key,
            $"/v1/webhook_endpoints/{id}/roll_secret",
            new { overlap_seconds = 0 },
            201
        );
        await api.PostAsync(key, $"/v1/webhook_endpoints/{id}/test");
        received = (await api.Receiver.ReceivedAsync(path, 2))[1];
        Assert.DoesNotContain(' ', received.Headers["webhook-signature"].ToString());
        new StandardWebhook(Text(once, "secret")).Verify(received.Body, received.Headers);
        Assert.Equal(2, received.Event.GetProperty("sequence").GetInt64());
    }

    [Fact]
    public async Task What_fails_is_tried_again_under_the_same_id_and_the_log_tells_of_each_attempt()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(
            path,
            async http =>
            {
                http.Response.StatusCode = api.Receiver.At(path).Length == 1 ? 500 : 200;
                await http.Response.WriteAsync("down for tea");
            }
        );

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var failed = await api.DeliveryAsync(key, id, d => d.TryGetProperty("last_error", out _));
        Assert.Equal(("refused", 500), (Text(failed, "last_error"), failed.GetProperty("last_status").GetInt32()));
        await api.DueNowAsync();
        await api.DeliveryAsync(key, id, "delivered");

        Assert.Single(api.Receiver.At(path).Select(webhook => webhook.Id).Distinct());
        var delivery = await api.GetAsync(key, $"/v1/webhook_endpoints/{id}/deliveries/{Text(failed, "event_id")}");
        JsonElement[] log = [.. delivery.GetProperty("log").EnumerateArray()];
        Assert.Equal([2, 1], log.Select(attempt => attempt.GetProperty("attempt").GetInt32()));
        Assert.Equal([200, 500], log.Select(attempt => attempt.GetProperty("status").GetInt32()));
        Assert.Equal("down for tea", Text(log[1].GetProperty("answer"), "body"));
        var request = log[1].GetProperty("request");
        var first = api.Receiver.At(path)[0];
        Assert.Equal(api.Receiver.Url(path), Text(request, "url"));
        Assert.Equal(
            first.Headers["webhook-signature"].ToString(),
            Text(request.GetProperty("headers"), "webhook-signature")
        );
        Assert.Equal(
            first.Headers["webhook-timestamp"].ToString(),
            Text(request.GetProperty("headers"), "webhook-timestamp")
        );
        Assert.True(JsonElement.DeepEquals(first.Event, request.GetProperty("body")));
    }

    [Fact]
    public async Task In_order_an_object_s_later_event_waits_for_the_earlier_and_other_objects_do_not()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        await api.CreateAsync(key, path, new { ordered = true });
        var (card, other) = (
            GiftCardId.New(TimeProvider.System).ToString(),
            GiftCardId.New(TimeProvider.System).ToString()
        );
        var isOpen = false;
        api.Receiver.OnReceive(
            path,
            http =>
            {
                var mine = api.Receiver.At(path).First(w => w.Id == http.Request.Headers["webhook-id"]);
                var isTaken = Volatile.Read(ref isOpen) || Text(mine.Event, "subject") == other;
                http.Response.StatusCode = isTaken ? 200 : 503;
                return Task.CompletedTask;
            }
        );

        await api.TellAsync(WebhookApi.Card("gift_card.activated", shop, card, 1));
        await api.Receiver.ReceivedAsync(path, 1);
        await api.TellAsync(WebhookApi.Card("gift_card.blocked", shop, card, 3));
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop, card, 2));
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop, other, 1));
        await Eventually.TrueAsync(() => SequencesOf(path, other).Length == 1);
        Assert.All(SequencesOf(path, card), sequence => Assert.Equal(1, sequence));
        Volatile.Write(ref isOpen, true);
        await Eventually.TrueAsync(async () =>
        {
            await api.DueNowAsync();
            return SequencesOf(path, card)[^1] == 3;
        });

        Assert.Equal([1, 2, 3], SequencesOf(path, card).Distinct());
    }

    [Fact]
    public async Task An_endpoint_that_says_it_is_gone_is_disabled_and_its_merchant_is_told()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(path, 410);

        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        var delivery = await api.DeliveryAsync(key, id, "failed");
        var endpoint = await api.GetAsync(key, $"/v1/webhook_endpoints/{id}");
        var mail = await api.Api.MailToAsync(shop);

        Assert.Equal(410, delivery.GetProperty("last_status").GetInt32());
        Assert.Equal(("disabled", "gone"), (Text(endpoint, "status"), Text(endpoint, "disabled_reason")));
        Assert.Equal("One of your webhooks is disabled", mail.Subject);
        Assert.Contains(id, mail.Body, StringComparison.Ordinal);
        await api.TellAsync(WebhookApi.Card("gift_card.blocked", shop));
        Assert.Single(
            (await api.GetAsync(key, $"/v1/webhook_endpoints/{id}/deliveries")).GetProperty("data").EnumerateArray()
        );
    }

    [Fact]
    public async Task An_endpoint_that_has_failed_for_days_is_disabled_and_goes_on_when_it_is_enabled()
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(path, 500);
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        await api.DeliveryAsync(key, id, d => d.TryGetProperty("last_error", out _));
        Assert.Equal("enabled", Text(await api.GetAsync(key, $"/v1/webhook_endpoints/{id}"), "status"));

        await api.Api.Database.AsOwnerAsync(
            $"UPDATE webhook_endpoints SET failing_since = now() - interval '6 days' WHERE merchant_id = '{shop.Value}'"
        );
        await api.DueNowAsync();
        await Eventually.TrueAsync(async () =>
            Text(await api.GetAsync(key, $"/v1/webhook_endpoints/{id}"), "status") == "disabled"
        );
        var endpoint = await api.GetAsync(key, $"/v1/webhook_endpoints/{id}");

        Assert.Equal("failing", Text(endpoint, "disabled_reason"));
        Assert.Contains("five days", (await api.Api.MailToAsync(shop)).Body, StringComparison.Ordinal);
        api.Receiver.OnReceive(path, 200);
        await api.PatchAsync(key, id, new { enabled = true }, 2);
        await api.DueNowAsync();
        await api.DeliveryAsync(key, id, "delivered");
    }

    [Fact]
    public async Task What_waits_for_an_endpoint_that_has_failed_for_long_costs_an_attempt_a_minute()
    {
        const int waiting = 20;
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        api.Receiver.OnReceive(path, 500);
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        await api.DeliveryAsync(key, id, d => d.TryGetProperty("last_error", out _));
        await api.Api.Database.AsOwnerAsync(
            $"UPDATE webhook_endpoints SET failing_since = now() - interval '1 hour' WHERE merchant_id = '{shop.Value}'"
        );
        for (var i = 0; i < waiting; i++)
        {
            await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));
        }

        // What somebody asks for is tried before all of them, and what fails then pauses anew.
        var asked = Text(await api.PostAsync(key, $"/v1/webhook_endpoints/{id}/test"), "event_id");
        await Eventually.TrueAsync(async () =>
            (await api.GetAsync(key, $"/v1/webhook_endpoints/{id}/deliveries/{asked}")).TryGetProperty(
                "last_error",
                out _
            )
        );
        Assert.InRange(api.Receiver.At(path).Length, 2, waiting / 2);

        api.Receiver.OnReceive(path, 200);
        await api.PostAsync(key, $"/v1/webhook_endpoints/{id}/test");
        await Eventually.TrueAsync(() =>
            Task.FromResult(api.Receiver.At(path).Select(webhook => webhook.Id).Distinct().Count() >= waiting)
        );
    }

    [Fact]
    public async Task What_was_given_up_or_never_asked_for_is_sent_again_one_by_one_and_by_range()
    {
        var (shop, key) = api.NewMerchant();
        var before = WebhookApi.Card("gift_card.activated", shop);
        await api.TellAsync(before);
        var path = api.NewPath();
        var id = Text(await api.CreateAsync(key, path), "id");
        var root = $"/v1/webhook_endpoints/{id}";
        TestEvent[] events = [.. Enumerable.Range(0, 3).Select(_ => WebhookApi.Card("gift_card.loaded", shop))];
        api.Receiver.OnReceive(path, 500);
        foreach (var e in events)
        {
            await api.TellAsync(e);
        }

        Assert.Equal(
            "webhook_delivery_pending",
            Text(await api.PostAsync(key, $"{root}/deliveries/{events[0].Id}/redeliver", status: 409), "code")
        );
        // As three days later. Each row is aged once: whoever makes a claimed one due again takes it from its claim.
        await Eventually.TrueAsync(async () =>
        {
            await api.Api.Database.AsOwnerAsync(
                $"""
                UPDATE webhook_endpoints SET probe_at = NULL WHERE merchant_id = '{shop.Value}';
                UPDATE webhook_queue
                   SET due_at = '-infinity',
                       queued_at = now() - interval '4 days'
                 WHERE webhook_id IN (SELECT webhook_id FROM webhook_endpoints WHERE merchant_id = '{shop.Value}')
                   AND queued_at > now() - interval '3 days'
                """
            );
            return (await StatesAsync(key, id)).All(state => state == "failed");
        });
        api.Receiver.OnReceive(path, 200);

        await api.PostAsync(key, $"{root}/deliveries/{events[0].Id}/redeliver");
        await api.PostAsync(key, $"{root}/deliveries/{EventId.New(TimeProvider.System)}/redeliver", status: 404);
        await Eventually.TrueAsync(async () => (await StatesAsync(key, id)).Count(state => state == "delivered") == 1);
        var failed = await api.PostAsync(key, $"{root}/redeliver");
        Assert.Equal(
            (2, false),
            (failed.GetProperty("queued").GetInt32(), failed.GetProperty("has_more").GetBoolean())
        );
        await Eventually.TrueAsync(async () => (await StatesAsync(key, id)).All(state => state == "delivered"));

        var all = await api.PostAsync(
            key,
            $"{root}/redeliver",
            new { only = "all", from = before.OccurredAt.AddMinutes(-1) }
        );
        Assert.Equal(4, all.GetProperty("queued").GetInt32());
        await Eventually.TrueAsync(() => api.Receiver.At(path).Any(webhook => webhook.Id == before.Id.ToString()));
        Assert.Equal(
            0,
            (
                await api.PostAsync(
                    key,
                    $"{root}/redeliver",
                    new { only = "all", until = before.OccurredAt.AddMinutes(-1) }
                )
            )
                .GetProperty("queued")
                .GetInt32()
        );
    }

    [Fact]
    public async Task Endpoints_that_hang_cost_the_others_nothing()
    {
        const int events = 10;
        var (shop, key) = api.NewMerchant();
        string[] hanging = [.. Enumerable.Range(0, 3).Select(_ => api.NewPath())];
        string[] well = [.. Enumerable.Range(0, 17).Select(_ => api.NewPath())];
        var end = new TaskCompletionSource();
        foreach (var path in hanging)
        {
            api.Receiver.OnReceive(path, http => end.Task);
        }

        try
        {
            foreach (var path in hanging.Concat(well))
            {
                await api.CreateAsync(key, path);
            }

            await Task.WhenAll(
                Enumerable.Range(0, events).Select(_ => api.TellAsync(WebhookApi.Card("gift_card.loaded", shop)))
            );
            await Eventually.TrueAsync(
                () => well.All(path => api.Receiver.At(path).Length == events),
                because: () => api.Service.Output
            );

            Assert.All(hanging, path => Assert.InRange(api.Receiver.At(path).Length, 1, 8));
        }
        finally
        {
            end.SetResult();
        }
    }

    private async Task<string[]> StatesAsync(string key, string id) =>
        [
            .. (await api.GetAsync(key, $"/v1/webhook_endpoints/{id}/deliveries"))
                .GetProperty("data")
                .EnumerateArray()
                .Select(delivery => Text(delivery, "status")),
        ];

    private long[] SequencesOf(string path, string card) =>
        [
            .. api
                .Receiver.At(path)
                .Where(webhook => Text(webhook.Event, "subject") == card)
                .Select(webhook => webhook.Event.GetProperty("sequence").GetInt64()),
        ];

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
