using System.Net;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class WebhookEndpointTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    private const string Endpoints = "/v1/webhook_endpoints";

    [Fact]
    public async Task An_endpoint_s_secret_is_shown_once_to_whoever_made_it_and_is_stored_encrypted()
    {
        var (_, key) = api.NewMerchant();
        var (_, other) = api.NewMerchant();
        var body = new
        {
            url = api.Receiver.Url("once"),
            event_types = new[] { "gift_card.*", "redemption.completed" },
        };
        const string idempotency = "make-one";

        var made = await api.Service.CallAsync(HttpMethod.Post, Endpoints, key, body, 201, idempotency);
        var again = await api.Service.CallAsync(HttpMethod.Post, Endpoints, key, body, 201, idempotency);

        var (id, secret) = (made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        Assert.Equal(secret, again.GetProperty("secret").GetString());
        Assert.Equal(
            ("enabled", "v1", false),
            (Text(made, "status"), Text(made, "api_version"), made.GetProperty("ordered").GetBoolean())
        );
        var shown = await api.GetAsync(key, $"{Endpoints}/{id}");
        Assert.False(shown.TryGetProperty("secret", out _));
        Assert.Equal(
            id,
            Text(Assert.Single((await api.GetAsync(key, Endpoints)).GetProperty("data").EnumerateArray()), "id")
        );
        await api.GetAsync(other, $"{Endpoints}/{id}", 404);
        Assert.Empty((await api.GetAsync(other, Endpoints)).GetProperty("data").EnumerateArray());
        var plain = Convert.ToHexStringLower(Convert.FromBase64String(secret["whsec_".Length..]));
        Assert.Equal(
            0L,
            await api.Api.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM webhook_endpoints WHERE encode(secret, 'hex') LIKE '%{plain}%'"
            )
        );
        Assert.DoesNotContain(secret, api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_endpoint_is_refused_with_the_field_and_why()
    {
        var (_, key) = api.NewMerchant();
        (object Body, string Pointer, string Code)[] wrong =
        [
            (new { url = "ftp://127.0.0.1/x" }, "/url", "invalid"),
            (new { url = "http://user:word@127.0.0.1/x" }, "/url", "invalid"),
            (new { url = "http://127.0.0.1/x#part" }, "/url", "invalid"),
            (new { url = "nowhere" }, "/url", "invalid"),
            (
                new { url = "http://127.0.0.1/", event_types = new[] { "gift_card.sold" } },
                "/event_types/0",
                "unknown_event_type"
            ),
            (new { url = "http://127.0.0.1/", api_version = "v2" }, "/api_version", "unknown_version"),
            (new { url = "http://127.0.0.1/", description = new string('x', 501) }, "/description", "too_long"),
        ];
        foreach (var (body, pointer, code) in wrong)
        {
            var refusal = await api.PostAsync(key, Endpoints, body, 400);
            var error = Assert.Single(refusal.GetProperty("errors").EnumerateArray());
            Assert.Equal((pointer, code), (Text(error, "pointer"), Text(error, "code")));
        }
    }

    [Fact]
    public async Task A_change_needs_the_version_it_was_seen_with_and_leaves_what_it_does_not_name()
    {
        var (_, key) = api.NewMerchant();
        var id = Text(await api.CreateAsync(key, "change", new { description = "till" }), "id");

        var changed = await api.PatchAsync(key, id, new { ordered = true, event_types = new[] { "redemption.*" } }, 1);
        Assert.Equal(("till", true), (Text(changed, "description"), changed.GetProperty("ordered").GetBoolean()));
        var stale = await api.PatchAsync(key, id, new { ordered = false }, 1, 412);
        Assert.Equal("version_conflict", Text(stale, "code"));

        var off = await api.PatchAsync(key, id, new { enabled = false }, 2);
        Assert.Equal(("disabled", "merchant"), (Text(off, "status"), Text(off, "disabled_reason")));
        Assert.Equal(
            "webhook_endpoint_disabled",
            Text(await api.PostAsync(key, $"{Endpoints}/{id}/test", status: 409), "code")
        );
        Assert.Equal("enabled", Text(await api.PatchAsync(key, id, new { enabled = true }, 3), "status"));
    }

    [Fact]
    public async Task An_endpoint_that_is_deleted_gets_nothing_any_more()
    {
        var (shop, key) = api.NewMerchant();
        var id = Text(await api.CreateAsync(key, "deleted"), "id");

        using var deleted = await api.Service.SendAsync(HttpMethod.Delete, $"{Endpoints}/{id}", key);
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await api.GetAsync(key, $"{Endpoints}/{id}", 404);
        await api.GetAsync(key, $"{Endpoints}/{id}/deliveries", 404);
        Assert.Equal(
            0L,
            await api.Api.Database.ScalarAsync<long>(
                $"""
                SELECT count(*)
                  FROM webhook_deliveries d
                  JOIN merchant_events e USING (event_id)
                 WHERE merchant_id = '{shop.Value}'
                """
            )
        );
        Assert.Empty(api.Receiver.At("deleted"));
    }

    [Fact]
    public async Task A_merchant_has_at_most_50_endpoints()
    {
        var (shop, key) = api.NewMerchant();
        await api.CreateAsync(key, "first");
        await api.Api.Database.AsOwnerAsync(
            $"""
            INSERT INTO webhook_endpoints (webhook_id, merchant_id, url, event_types, api_version, ordered, state,
                   secret, tests, version, created_at)
            SELECT gen_random_uuid(), merchant_id, url, event_types, api_version, ordered, state, secret,
                   0, 1, created_at
              FROM webhook_endpoints, generate_series(1, 49)
             WHERE merchant_id = '{shop.Value}'
            """
        );

        var refusal = await api.CreateAsync(key, "one-too-many", status: 422);

        Assert.Equal("too_many_webhook_endpoints", Text(refusal, "code"));
    }

    [Fact]
    public async Task T49_An_address_that_is_not_public_is_refused_when_it_is_saved()
    {
        // As everywhere but on a developer's machine.
        await using var strict = await RunningService.StartAsync(
            typeof(LocalPlus.Notification.Mails.Mail).Assembly.Location,
            api.Api.Database,
            api.Api.Sidecar.Port,
            api.Api.Smtp.Port,
            api.Api.Smtp.Setting
        );
        var (_, key) = api.NewMerchant();
        string[] refused =
        [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://localhost/",
            "https://10.0.0.1/",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://168.63.129.16/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[2001:0:a00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://224.0.0.1/",
            "https://no-such-host.invalid/",
        ];
        foreach (var url in refused)
        {
            var refusal = await strict.CallAsync(HttpMethod.Post, Endpoints, key, new { url }, 422);
            Assert.True(Text(refusal, "code") == "webhook_url_refused", $"{url}: {refusal}");
        }

        foreach (
            var (url, code) in new[]
            {
                ("http://shop.example/", "not_https"),
                ("https://shop.example:22/", "port_not_allowed"),
            }
        )
        {
            var refusal = await strict.CallAsync(HttpMethod.Post, Endpoints, key, new { url }, 400);
            Assert.Equal(code, Text(refusal.GetProperty("errors")[0], "code"));
        }

        var fine = await strict.CallAsync(
            HttpMethod.Post,
            Endpoints,
            key,
            new { url = "https://93.184.215.14:8443/hook" },
            201
        );
        Assert.Equal("https://93.184.215.14:8443/hook", Text(fine, "url"));
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
