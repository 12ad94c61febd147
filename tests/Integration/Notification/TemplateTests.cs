using System.Net;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class TemplateTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Templates = "/v1/notification_templates";
    private const string Activated = $"{Templates}/gift_card_activated/en";

    private static readonly object Own = new
    {
        subject = "{{ shop }} says hello",
        html = "<p>Dear {{ name | default: 'you' }}, {{ amount }} from {{ shop }}.</p>",
        text = "Dear {{ name | default: 'you' }}, {{ amount }} from {{ shop }}.",
        sms = "{{ shop }}: {{ amount }}",
    };

    [Fact]
    public async Task A_merchant_s_own_template_is_used_from_the_next_mail_until_it_is_taken_back()
    {
        var (shop, key) = api.NewMerchant("Fish & Chips");
        var saved = await api.Service.PutAsync(Activated, key, 0, Own);
        Assert.Equal(1, saved.GetProperty("version").GetInt64());
        Assert.False(saved.GetProperty("is_default").GetBoolean());

        var (ann, bob, cleo) = (api.NewCustomer("Ann"), api.NewCustomer("Bob"), api.NewCustomer("Cleo", "fr"));
        await api.ActivateAsync(shop, ann);
        var mail = await api.MailToAsync(ann);
        Assert.Equal("Fish & Chips says hello", mail.Subject);
        Assert.Equal("<p>Dear Ann, 50.00 EUR from Fish &amp; Chips.</p>", mail.Body.Trim());
        Assert.Equal("Dear Ann, 50.00 EUR from Fish & Chips.", mail.Text.Trim());
        await api.ActivateAsync(shop, cleo);
        Assert.Equal("Votre carte cadeau Fish & Chips", (await api.MailToAsync(cleo)).Subject);

        await api.Service.CallAsync(HttpMethod.Delete, Activated, key, status: 204);
        await api.Service.CallAsync(HttpMethod.Delete, Activated, key, status: 204);
        await api.ActivateAsync(shop, bob);
        Assert.Equal("Your Fish & Chips gift card", (await api.MailToAsync(bob)).Subject);
        var back = await api.Service.CallAsync(HttpMethod.Get, Activated, key);
        Assert.True(back.GetProperty("is_default").GetBoolean());
        Assert.Equal(2, back.GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Two_who_change_a_template_at_once_do_not_overwrite_each_other()
    {
        var (_, key) = api.NewMerchant("Shop");
        await api.Service.PutAsync(Activated, key, null, Own, 428);
        await api.Service.PutAsync(Activated, key, 1, Own, 412);
        await api.Service.PutAsync(Activated, key, 0, Own);
        var late = await api.Service.PutAsync(Activated, key, 0, Own, 412);
        Assert.Equal("version_conflict", late.GetProperty("code").GetString());
        Assert.Equal(2, (await api.Service.PutAsync(Activated, key, 1, Own)).GetProperty("version").GetInt64());

        await api.Service.CallAsync(HttpMethod.Delete, Activated, key, status: 204);
        // Whoever still has the version from before it was taken back is told.
        await api.Service.PutAsync(Activated, key, 2, Own, 412);
        Assert.Equal(4, (await api.Service.PutAsync(Activated, key, 3, Own)).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Every_kind_for_customers_is_listed_in_both_languages_and_no_other_merchant_s_is_seen()
    {
        var ((_, key), (_, other)) = (api.NewMerchant("One"), api.NewMerchant("Two"));
        await api.Service.PutAsync(Activated, key, 0, Own);

        var own = await ListedAsync(key);
        Assert.Equal(12, own.Length);
        Assert.Equal(
            ["gift_card_activated/en"],
            own.Where(t => !t.GetProperty("is_default").GetBoolean())
                .Select(t => $"{t.GetProperty("kind").GetString()}/{t.GetProperty("locale").GetString()}")
        );
        Assert.All(await ListedAsync(other), t => Assert.True(t.GetProperty("is_default").GetBoolean()));
        var shown = await api.Service.CallAsync(HttpMethod.Get, Activated, other);
        Assert.Equal("Your {{ shop }} gift card", shown.GetProperty("subject").GetString());
        Assert.Contains("last4", shown.GetProperty("variables").EnumerateArray().Select(v => v.GetString()));

        foreach (var path in new[] { "merchant_welcome/en", "gift_card_activated/de", "nothing/en" })
        {
            await api.Service.CallAsync(HttpMethod.Get, $"{Templates}/{path}", key, status: 404);
        }
    }

    [Theory]
    [InlineData("html", "<p>{{ cod }}</p>", "unknown_variable")]
    [InlineData("html", "<p>{{ code }}</p>", "unknown_variable")]
    [InlineData("html", "<p>{{ name | raw }}</p>", "unknown_filter")]
    [InlineData("text", "{% if name %}", "syntax")]
    [InlineData("subject", "{{ nam }}", "unknown_variable")]
    [InlineData("sms", "{{ nam }}", "unknown_variable")]
    [InlineData("html", "<a href=\"{{ name }}\">x</a>", "value_in_tag")]
    public async Task What_could_not_be_sent_is_refused_when_it_is_saved_and_when_it_is_looked_at(
        string part,
        string source,
        string code
    )
    {
        var (_, key) = api.NewMerchant("Shop");
        var parts = new Dictionary<string, string>
        {
            ["subject"] = "x",
            ["html"] = "x",
            ["text"] = "x",
            [part] = source,
        };

        foreach (
            var refusal in new[]
            {
                await api.Service.PutAsync(Activated, key, 0, parts, 422),
                await api.Service.CallAsync(HttpMethod.Post, $"{Activated}/preview", key, parts, 422),
            }
        )
        {
            Assert.Equal("template_invalid", refusal.GetProperty("code").GetString());
            var error = Assert.Single(refusal.GetProperty("errors").EnumerateArray());
            Assert.Equal($"/{part}", error.GetProperty("pointer").GetString());
            Assert.Equal(code, error.GetProperty("code").GetString());
        }

        Assert.Equal(
            0,
            (await api.Service.CallAsync(HttpMethod.Get, Activated, key)).GetProperty("version").GetInt64()
        );
    }

    [Fact]
    public async Task Parts_have_sizes()
    {
        var (_, key) = api.NewMerchant("Shop");
        var refusal = await api.Service.PutAsync(
            Activated,
            key,
            0,
            new
            {
                subject = new string('x', 201),
                html = new string('x', 65537),
                text = new string('x', 16385),
                sms = new string('x', 481),
            },
            400
        );

        Assert.Equal(
            ["/html too_long", "/sms too_long", "/subject too_long", "/text too_long"],
            refusal
                .GetProperty("errors")
                .EnumerateArray()
                .Select(e => $"{e.GetProperty("pointer").GetString()} {e.GetProperty("code").GetString()}")
                .Order(StringComparer.Ordinal)
        );
        var delivery = await api.Service.PutAsync(
            $"{Templates}/gift_card_delivery/en",
            key,
            0,
            new
            {
                subject = "x",
                html = "x",
                text = "x",
                sms = "{{ code }}",
            },
            400
        );
        Assert.Equal("not_by_sms", delivery.GetProperty("errors")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_preview_shows_what_is_saved_or_sent_and_keeps_nothing()
    {
        var (_, key) = api.NewMerchant("Shop");
        var path = $"{Templates}/gift_card_delivery/fr";
        var saved = await api.Service.CallAsync(HttpMethod.Post, $"{path}/preview", key, new { });
        Assert.Equal("Une carte cadeau Le Fournil pour vous", saved.GetProperty("subject").GetString());
        Assert.Contains("SAMP-LE0C-ARD0-7Q2M", saved.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("Happy birthday!<br>", saved.GetProperty("html").GetString(), StringComparison.Ordinal);
        Assert.Contains("aria-label=\"QR\"", saved.GetProperty("html").GetString(), StringComparison.Ordinal);

        var draft = await api.Service.CallAsync(
            HttpMethod.Post,
            $"{path}/preview",
            key,
            new { subject = "{{ from }} & {{ shop }}" }
        );
        Assert.Equal("Max & Le Fournil", draft.GetProperty("subject").GetString());
        Assert.True((await api.Service.CallAsync(HttpMethod.Get, path, key)).GetProperty("is_default").GetBoolean());
    }

    [Fact]
    public async Task A_test_goes_to_the_merchant_s_own_addresses_as_often_as_an_hour_allows()
    {
        var (shop, key) = api.NewMerchant("Tester");
        await api.Service.PutAsync(Activated, key, 0, Own);
        var queued = await api.Service.CallAsync(HttpMethod.Post, $"{Activated}/test", key, new { }, 202);
        Assert.Equal("template_test", queued.GetProperty("kind").GetString());
        await api.Service.CallAsync(HttpMethod.Post, $"{Activated}/test", key, new { to = "support" }, 202);
        await api.Service.CallAsync(HttpMethod.Post, $"{Activated}/test", key, new { to = "anna@example.test" }, 400);

        await Eventually.TrueAsync(() => api.MailsTo(shop).Count() == 2, because: () => api.Service.Output);
        Assert.Equal(
            [$"help-{shop}@shop.test", $"owner-{shop}@shop.test"],
            api.MailsTo(shop).Select(mail => mail.To).Order(StringComparer.Ordinal)
        );
        Assert.All(api.MailsTo(shop), mail => Assert.Equal("[Test] Tester says hello", mail.Subject));
        Assert.All(api.MailsTo(shop), mail => Assert.Null(mail.Header("List-Unsubscribe")));

        var statuses = new List<HttpStatusCode>();
        while (statuses.Count < 100 && !statuses.Contains(HttpStatusCode.TooManyRequests))
        {
            using var answer = await api.Service.SendAsync(HttpMethod.Post, $"{Activated}/test", key, new { });
            statuses.Add(answer.StatusCode);
        }

        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
    }

    [Fact]
    public async Task A_template_that_a_release_does_not_understand_any_more_keeps_no_mail_back()
    {
        var (shop, key) = api.NewMerchant("Old");
        await api.Service.PutAsync(Activated, key, 0, Own);
        await api.Database.AsOwnerAsync(
            $"UPDATE notification_templates SET html = '{{% if %}}' WHERE merchant_id = '{shop.Value}'"
        );
        var dan = api.NewCustomer("Dan");
        await api.ActivateAsync(shop, dan);

        Assert.Equal("Your Old gift card", (await api.MailToAsync(dan)).Subject);
        Assert.Contains("is sent by the default", api.Service.Output, StringComparison.Ordinal);
    }

    private async Task<JsonElement[]> ListedAsync(string key) =>
        [.. (await api.Service.CallAsync(HttpMethod.Get, Templates, key)).GetProperty("data").EnumerateArray()];
}
