using System.Net;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class ReaderTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Suppressions = "/v1/notification_suppressions";
    private const string Settings = "/v1/notification_settings";

    [Fact]
    public async Task One_post_to_a_mail_s_header_unsubscribes_from_its_kind_alone()
    {
        var (shop, key) = api.NewMerchant("Loud");
        var anna = api.NewCustomer("Anna");
        await api.ActivateAsync(shop, anna);
        var mail = await api.MailToAsync(anna);
        Assert.Equal("List-Unsubscribe=One-Click", mail.Header("List-Unsubscribe-Post"));
        var link = mail.Header("List-Unsubscribe")!.Trim('<', '>');
        Assert.Contains(link, mail.Body, StringComparison.Ordinal);
        Assert.Contains(link, mail.Text, StringComparison.Ordinal);
        var path = new Uri(link).AbsolutePath;

        // Scanners follow links: that changes nothing.
        var page = await VisitAsync(HttpMethod.Get, path);
        Assert.Contains("<form method=\"post\">", page, StringComparison.Ordinal);
        Assert.Empty((await WishesAsync(key, anna)).GetProperty("declined").EnumerateArray());
        for (var times = 0; times < 3; times++)
        {
            var done = await VisitAsync(HttpMethod.Post, path);
            Assert.Contains("Done", done, StringComparison.Ordinal);
        }

        var wishes = await WishesAsync(key, anna);
        Assert.Equal(
            ["gift_card_activated"],
            wishes.GetProperty("declined").EnumerateArray().Select(k => k.GetString())
        );
        Assert.Equal(1, wishes.GetProperty("version").GetInt64());

        await api.ActivateAsync(shop, anna);
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.pin_locked", shop, GiftCardId.New(TimeProvider.System), anna)
        );
        await Eventually.TrueAsync(() => api.MailsTo(anna).Count() == 2, because: () => api.Service.Output);
        Assert.Contains(api.MailsTo(anna), m => m.Subject == "Your Loud gift card: PIN locked");
        await StatesAsync(key, "sent", "sent", "skipped declined");
        // A warning has no such choice.
        Assert.Null(api.MailsTo(anna).Last().Header("List-Unsubscribe"));
    }

    [Fact]
    public async Task A_link_that_was_changed_or_made_up_does_nothing()
    {
        var (shop, key) = api.NewMerchant("Shop");
        var ben = api.NewCustomer("Ben");
        await api.ActivateAsync(shop, ben);
        var path = new Uri((await api.MailToAsync(ben)).Header("List-Unsubscribe")!.Trim('<', '>')).AbsolutePath;
        var changed = path[..^3] + (path[^3] == 'A' ? 'B' : 'A') + path[^2..];
        foreach (var wrong in new[] { changed, "/unsubscribe/x", $"/unsubscribe/{new string('A', 4000)}" })
        {
            await VisitAsync(HttpMethod.Get, wrong, HttpStatusCode.NotFound);
            await VisitAsync(HttpMethod.Post, wrong, HttpStatusCode.NotFound);
        }

        Assert.Equal(0, (await WishesAsync(key, ben)).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task The_page_speaks_the_reader_s_language_and_holds_nothing_foreign()
    {
        var (shop, _) = api.NewMerchant("Shop");
        var lea = api.NewCustomer("Lea", "fr");
        await api.ActivateAsync(shop, lea);
        var path = new Uri((await api.MailToAsync(lea)).Header("List-Unsubscribe")!.Trim('<', '>')).AbsolutePath;
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept-Language", "fr-CH,en;q=0.5");
        using var answer = await api.Service.Public.SendAsync(request);

        Assert.Contains("cartes cadeaux activ", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith(
            "default-src 'none'",
            answer.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task What_can_wait_waits_for_the_reader_s_morning_and_what_can_not_does_not()
    {
        var (shop, key) = api.NewMerchant("Night Owl");
        var (cleo, other) = (api.NewCustomer("Cleo"), api.NewCustomer("Other"));
        await PutWishesAsync(
            key,
            cleo,
            0,
            new
            {
                declined = Array.Empty<string>(),
                time_zone = "Asia/Tokyo",
                quiet_hours = AroundNow("Asia/Tokyo"),
            }
        );
        await api.ActivateAsync(shop, cleo);
        await api.ActivateAsync(shop, other);
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.pin_locked", shop, GiftCardId.New(TimeProvider.System), cleo)
        );

        await api.MailToAsync(other);
        Assert.Equal("Your Night Owl gift card: PIN locked", (await api.MailToAsync(cleo)).Subject);
        await StatesAsync(key, "pending quiet_hours", "sent", "sent");
        var waiting = (await ListAsync(key)).Single(n => Text(n, "status") == "pending");
        Assert.InRange(
            waiting.GetProperty("due_at").GetDateTimeOffset(),
            TimeProvider.System.GetUtcNow().AddMinutes(30),
            TimeProvider.System.GetUtcNow().AddHours(3)
        );
        Assert.Equal(0, waiting.GetProperty("attempts").GetInt32());

        // The morning comes: there are no such hours any more, and it is due.
        await PutWishesAsync(key, cleo, 1, new { declined = Array.Empty<string>() });
        await DueNowAsync(shop);
        await Eventually.TrueAsync(() => api.MailsTo(cleo).Count() == 2, because: () => api.Service.Output);
    }

    [Fact]
    public async Task A_merchant_s_hours_are_those_of_readers_who_said_nothing()
    {
        var (shop, key) = api.NewMerchant("Quiet Shop");
        var (ida, awake) = (api.NewCustomer("Ida"), api.NewCustomer("Awake"));
        var empty = await api.Service.CallAsync(HttpMethod.Get, Settings, key);
        Assert.Equal(0, empty.GetProperty("version").GetInt64());
        var set = await api.Service.PutAsync(
            Settings,
            key,
            0,
            new { time_zone = "America/New_York", quiet_hours = AroundNow("America/New_York") }
        );
        Assert.Equal("America/New_York", Text(set, "time_zone"));
        // None of its own are hours too.
        await PutWishesAsync(
            key,
            awake,
            0,
            new { declined = Array.Empty<string>(), quiet_hours = new { from = "00:00", until = "00:00" } }
        );
        await api.ActivateAsync(shop, ida);
        await api.ActivateAsync(shop, awake);

        await api.MailToAsync(awake);
        await StatesAsync(key, "pending quiet_hours", "sent");
        await api.Service.PutAsync(Settings, key, 0, new { }, 412);
        await api.Service.PutAsync(Settings, key, 1, new { time_zone = "Mars/Olympus" }, 400);
        await api.Service.PutAsync(
            Settings,
            key,
            1,
            new { quiet_hours = new { from = "25:00", until = "08:00" } },
            400
        );
    }

    [Fact]
    public async Task A_mailbox_that_is_not_there_is_not_written_to_again_until_the_merchant_lifts_that()
    {
        var (shop, key) = api.NewMerchant("Bouncer");
        var gus = api.NewCustomer("Gus");
        api.Smtp.Unknown[gus.ToString()] = true;
        await api.ActivateAsync(shop, gus);
        await StatesAsync(key, "skipped address_bounced");
        await api.ActivateAsync(shop, gus);
        await StatesAsync(key, "skipped address_bounced", "skipped address_bounced");

        var only = Assert.Single(
            (await api.Service.CallAsync(HttpMethod.Get, Suppressions, key)).GetProperty("data").EnumerateArray()
        );
        Assert.Equal(
            ("mail", "bounced", 550, "c***@***.test"),
            (
                Text(only, "channel"),
                Text(only, "reason"),
                only.GetProperty("smtp_status").GetInt32(),
                Text(only, "recipient")
            )
        );
        Assert.Equal(gus.ToString(), Text(only, "customer_id"));
        // One attempt reached the server.
        Assert.Equal(1L, await api.Database.ScalarAsync<long>(OnceCounted(shop)));

        api.Smtp.Unknown.TryRemove(gus.ToString(), out _);
        var (_, stranger) = api.NewMerchant("Stranger");
        await api.Service.CallAsync(HttpMethod.Delete, $"{Suppressions}/{Text(only, "id")}", stranger, status: 404);
        await api.Service.CallAsync(HttpMethod.Delete, $"{Suppressions}/{Text(only, "id")}", key, status: 204);
        await api.Service.CallAsync(HttpMethod.Delete, $"{Suppressions}/{Text(only, "id")}", key, status: 404);
        await api.ActivateAsync(shop, gus);
        await api.MailToAsync(gus);
        Assert.DoesNotContain("@holder.test", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_refuses_for_now_makes_no_bounce()
    {
        var (shop, key) = api.NewMerchant("Patient");
        var hal = api.NewCustomer("Hal");
        api.Smtp.Up = false;
        try
        {
            await api.ActivateAsync(shop, hal);
            await StatesAsync(key, "pending smtp_unavailable");
        }
        finally
        {
            api.Smtp.Up = true;
        }

        Assert.Empty(
            (await api.Service.CallAsync(HttpMethod.Get, Suppressions, key)).GetProperty("data").EnumerateArray()
        );
        await DueNowAsync(shop);
        await api.MailToAsync(hal);
        // What was not sent was given back, so it counts once.
        Assert.Equal(1L, await api.Database.ScalarAsync<long>(OnceCounted(shop)));
    }

    [Fact]
    public async Task Who_complained_gets_nothing_more_not_even_what_is_urgent()
    {
        var (shop, key) = api.NewMerchant("Blamed");
        var (jo, phoneless) = (api.NewCustomer("Jo"), api.NewCustomer("Phoneless"));
        var body = new
        {
            customer_id = jo.ToString(),
            channel = "mail",
            reason = "complained",
        };
        var made = await api.Service.CallAsync(HttpMethod.Post, Suppressions, key, body, 201);
        var again = await api.Service.CallAsync(HttpMethod.Post, Suppressions, key, body, 201);
        Assert.Equal(Text(made, "id"), Text(again, "id"));
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.pin_locked", shop, GiftCardId.New(TimeProvider.System), jo)
        );

        await StatesAsync(key, "skipped address_complained");
        var none = new
        {
            customer_id = phoneless.ToString(),
            channel = "sms",
            reason = "merchant",
        };
        Assert.Equal(
            "customer_without_address",
            Text(await api.Service.CallAsync(HttpMethod.Post, Suppressions, key, none, 422), "code")
        );
        var unknown = CustomerId.New(TimeProvider.System);
        api.Sidecar.OnInvoke(
            "wallet",
            $"internal/customers/{unknown}/contact",
            _ => Task.FromResult(Problems.Result(CommonFaults.NoSuchObject, "There is no such thing."))
        );
        var nobody = new
        {
            customer_id = unknown.ToString(),
            channel = "mail",
            reason = "merchant",
        };
        await api.Service.CallAsync(HttpMethod.Post, Suppressions, key, nobody, 404);
        await api.Service.CallAsync(
            HttpMethod.Post,
            Suppressions,
            key,
            new
            {
                customer_id = jo.ToString(),
                channel = "mail",
                reason = "bounced",
            },
            400
        );
    }

    [Fact]
    public async Task Too_many_for_one_reader_wait_for_the_next_day_and_leave_others_alone()
    {
        var (shop, key) = api.NewMerchant("Chatty");
        var (kim, liz) = (api.NewCustomer("Kim"), api.NewCustomer("Liz"));
        await api.ActivateAsync(shop, kim);
        await api.MailToAsync(kim);
        await StatesAsync(key, "sent");
        await api.Database.AsOwnerAsync(
            $"UPDATE notification_counts SET taken = 20 WHERE merchant_id = '{shop.Value}' AND limit_name = 'recipient'"
        );
        await api.ActivateAsync(shop, kim);
        await api.ActivateAsync(shop, liz);
        await api.MailToAsync(liz);
        await StatesAsync(key, "pending recipient_throttled", "sent", "sent");

        // What did not go out is not counted among all of the merchant's.
        Assert.Equal(
            2,
            await api.Database.ScalarAsync<int>(
                $"SELECT sum(taken)::int FROM notification_counts WHERE {Of(shop)} AND limit_name = 'merchant'"
            )
        );
        await api.Database.AsOwnerAsync(
            $"UPDATE notifications SET deferrals = 10, attempts = 11 WHERE {Of(shop)} AND state = 'pending'"
        );
        await DueNowAsync(shop);
        await StatesAsync(key, "sent", "sent", "skipped recipient_throttled");
    }

    [Fact]
    public async Task An_sms_comes_beside_the_mail_for_who_asked_and_has_a_number()
    {
        var (shop, key) = api.NewMerchant("Texter");
        var (max, mute, plain) = (
            api.NewCustomer("Max", phone: "06 12 34 56 78"),
            api.NewCustomer("Mute"),
            api.NewCustomer("Plain", phone: "+33 6 98 76 54 32")
        );
        foreach (var customer in new[] { max, mute })
        {
            await PutWishesAsync(
                key,
                customer,
                0,
                new { declined = Array.Empty<string>(), sms = new[] { "gift_card_activated" } }
            );
        }

        await api.Service.PutAsync(
            $"/v1/notification_preferences/{max}",
            key,
            1,
            new { declined = Array.Empty<string>(), sms = new[] { "gift_card_delivery" } },
            400
        );
        var card = GiftCardId.New(TimeProvider.System);
        var activated = NotificationApi.Card("gift_card.activated", shop, card, max);
        await api.Service.DeliverAsync(Cards, activated);
        await api.Service.DeliverAsync(Cards, activated);
        await api.ActivateAsync(shop, mute);
        await api.ActivateAsync(shop, plain);

        await api.MailToAsync(plain);
        await StatesAsync(key, "sent", "sent", "sent", "sent", "skipped no_phone_number");
        var sms = Assert.Single(api.Smtp.Messages, m => m.Text.StartsWith("Texter", StringComparison.Ordinal));
        Assert.Equal("+33612345678", sms.To);
        Assert.Equal("Texter: your gift card ending in 7Q2M is active. Amount: 50.00 EUR.", sms.Text);
        var listed = (await ListAsync(key)).Single(n => Text(n, "channel") == "sms" && Text(n, "status") == "sent");
        Assert.Equal("+33***78", Text(listed, "recipient"));
        Assert.DoesNotContain("612345678", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_forgotten_leaves_nothing_of_what_was_wanted_or_counted()
    {
        var (shop, key) = api.NewMerchant("Forgetful");
        var (nel, card) = (api.NewCustomer("Nel"), GiftCardId.New(TimeProvider.System));
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.activated", shop, card, nel));
        var link = new Uri((await api.MailToAsync(nel)).Header("List-Unsubscribe")!.Trim('<', '>')).AbsolutePath;
        await StatesAsync(key, "sent");
        await PutWishesAsync(key, nel, 0, new { declined = new[] { "redemption_completed" } });
        await api.Service.CallAsync(
            HttpMethod.Post,
            Suppressions,
            key,
            new
            {
                customer_id = nel.ToString(),
                channel = "mail",
                reason = "merchant",
            },
            201
        );
        var kept = $"""
            SELECT (SELECT count(*) FROM notification_recipients WHERE merchant_id = '{shop.Value}')
                 + (SELECT count(*) FROM notification_suppressions WHERE merchant_id = '{shop.Value}')
                 + (SELECT count(*) FROM notification_counts WHERE merchant_id = '{shop.Value}' AND subject <> '')
                 + (SELECT count(*) FROM notifications WHERE merchant_id = '{shop.Value}' AND address_hash IS NOT NULL)
            """;
        Assert.Equal(4L, await api.Database.ScalarAsync<long>(kept));

        await api.Service.DeliverAsync(
            "customer.erased.v1",
            new TestEvent(
                "customer.erased",
                nel.ToString(),
                1,
                shop,
                new { customer_id = nel.ToString(), erased_at = TimeProvider.System.GetUtcNow() }
            )
        );

        Assert.Equal(0L, await api.Database.ScalarAsync<long>(kept));
        // An old mail's link brings nothing back.
        await VisitAsync(HttpMethod.Post, link);
        Assert.Equal(0L, await api.Database.ScalarAsync<long>(kept));
    }

    private async Task<string> VisitAsync(HttpMethod method, string path, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post)
        {
            request.Content = new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]);
        }

        using var answer = await api.Service.Public.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<JsonElement> WishesAsync(string key, CustomerId customer) =>
        api.Service.CallAsync(HttpMethod.Get, $"/v1/notification_preferences/{customer}", key);

    private Task<JsonElement> PutWishesAsync(string key, CustomerId customer, long version, object wishes) =>
        api.Service.PutAsync($"/v1/notification_preferences/{customer}", key, version, wishes);

    private async Task<JsonElement[]> ListAsync(string key) =>
        [
            .. (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                .GetProperty("data")
                .EnumerateArray(),
        ];

    /// <summary>Waits until the merchant's messages are in these states, in any order.</summary>
    private async Task StatesAsync(string key, params string[] states)
    {
        string[] found = [];
        await Eventually.TrueAsync(
            async () =>
            {
                found =
                [
                    .. (await ListAsync(key))
                        .Select(n =>
                            n.TryGetProperty("last_error", out var error)
                                ? $"{Text(n, "status")} {error.GetString()}"
                                : Text(n, "status")
                        )
                        .Order(StringComparer.Ordinal),
                ];
                return found.SequenceEqual(states.Order(StringComparer.Ordinal));
            },
            because: () => $"[{string.Join(", ", found)}] {api.Service.Output}"
        );
    }

    private static string Of(MerchantId shop) => $"merchant_id = '{shop.Value}'";

    private static string OnceCounted(MerchantId shop) =>
        $"SELECT count(*) FROM notification_counts WHERE {Of(shop)} AND limit_name = 'recipient' AND taken = 1";

    private Task DueNowAsync(MerchantId shop) =>
        api.Database.AsOwnerAsync(
            $"UPDATE notifications SET due_at = '-infinity' WHERE merchant_id = '{shop.Value}' AND state = 'pending'"
        );

    /// <summary>Hours that began an hour ago and end two hours from now, there.</summary>
    private static object AroundNow(string zone)
    {
        var now = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById(zone));
        return new { from = $"{now.AddHours(-1):HH:mm}", until = $"{now.AddHours(2):HH:mm}" };
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
