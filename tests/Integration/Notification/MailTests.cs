using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class MailTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Cards = "giftcard.cards.v1";
    private const string Redemptions = "giftcard.redemptions.v1";

    [Fact]
    public async Task The_holder_of_a_new_card_gets_one_mail_however_often_the_event_comes()
    {
        var (shop, key) = api.NewMerchant("Le Fournil");
        var anna = api.NewCustomer("Anna", "fr");
        var activated = NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), anna);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.Service.DeliverAsync(Cards, activated)));
        var mail = await api.MailToAsync(anna);

        Assert.Equal("Votre carte cadeau Le Fournil", mail.Subject);
        Assert.Contains("Bonjour Anna,", mail.Body, StringComparison.Ordinal);
        Assert.Contains("50,00 EUR", mail.Body, StringComparison.Ordinal);
        Assert.Contains("Bonjour Anna,", mail.Text, StringComparison.Ordinal);
        Assert.Contains("50,00 EUR", mail.Text, StringComparison.Ordinal);
        var listed = await ListedAsync(key, "sent");
        Assert.Equal("c***@***.test", listed.GetProperty("recipient").GetString());
        Assert.Equal("gift_card_activated", listed.GetProperty("kind").GetString());
        Assert.Equal(1, listed.GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task A_receipt_waits_for_the_event_that_tells_whose_card_it_was()
    {
        var (shop, key) = api.NewMerchant("Florist");
        var ben = api.NewCustomer(name: null);
        var card = GiftCardId.New(TimeProvider.System);

        await api.Service.DeliverAsync(Redemptions, Redemption("redemption.completed", shop, card, 3000));
        await Eventually.TrueAsync(async () =>
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                .GetProperty("data")[0]
                .TryGetProperty("last_error", out var error)
            && error.GetString() == "card_unknown"
        );
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.loaded", shop, card, ben));
        await DueNowAsync();
        var mail = await api.MailToAsync(ben);

        Assert.Equal("Your receipt from Florist", mail.Subject);
        Assert.Contains(
            "You paid 30.00 EUR at Florist with the card ending in 7Q2M.",
            mail.Body,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_refund_is_told_and_other_news_of_a_redemption_is_not()
    {
        var (shop, key) = api.NewMerchant("Bakery");
        var eve = api.NewCustomer("Eve");
        var card = GiftCardId.New(TimeProvider.System);
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.blocked", shop, card, eve));
        foreach (
            var type in new[] { "redemption.held", "redemption.cancelled", "redemption.expired", "redemption.refunded" }
        )
        {
            await api.Service.DeliverAsync(Redemptions, Redemption(type, shop, card, 1234));
        }

        var mail = await api.MailToAsync(eve);

        Assert.Equal("Your refund from Bakery", mail.Subject);
        Assert.Contains("12.34 EUR", mail.Body, StringComparison.Ordinal);
        Assert.Equal("redemption_refunded", (await ListedAsync(key, "sent")).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_card_of_nobody_makes_no_message()
    {
        var (shop, key) = api.NewMerchant("Kiosk");
        var card = GiftCardId.New(TimeProvider.System);

        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.activated", shop, card, customer: null));
        await api.Service.DeliverAsync(Redemptions, Redemption("redemption.completed", shop, card, 3000));

        Assert.Empty(
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key)).GetProperty("data").EnumerateArray()
        );
    }

    [Fact]
    public async Task Each_holder_of_a_payment_from_several_cards_is_told_what_their_own_gave()
    {
        var (shop, _) = api.NewMerchant("Town Hall");
        var (ida, jon) = (api.NewCustomer("Ida"), api.NewCustomer("Jon"));
        GiftCardId[] cards = [.. Enumerable.Range(0, 4).Select(_ => GiftCardId.New(TimeProvider.System))];
        foreach (var (card, holder) in cards.Zip<GiftCardId, CustomerId?>([ida, jon, ida, null]))
        {
            await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.blocked", shop, card, holder));
        }

        var id = RedemptionId.New(TimeProvider.System);
        await api.Service.DeliverAsync(
            Redemptions,
            new TestEvent(
                "redemption.completed",
                id.ToString(),
                2,
                shop,
                new
                {
                    redemption_id = id.ToString(),
                    gift_card_ids = cards.Select(c => c.ToString()),
                    amount = 1000,
                    currency = "EUR",
                    sources = cards.Select((c, i) => new { gift_card_id = c.ToString(), amount = 100 * (i + 1) }),
                }
            )
        );

        Assert.Contains("4.00 EUR", (await api.MailToAsync(ida)).Body, StringComparison.Ordinal);
        Assert.Contains("2.00 EUR", (await api.MailToAsync(jon)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_digital_card_is_carried_by_its_mail_with_what_the_giver_wrote()
    {
        var (shop, _) = api.NewMerchant("Librairie");
        var (lea, late) = (api.NewCustomer("Lea", "fr"), api.NewCustomer("Late"));
        var card = GiftCardId.New(TimeProvider.System);
        api.Sidecar.OnInvoke(
            "giftcard",
            $"internal/gift_cards/{card}/delivery",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            code = "0123456789ABCDEF",
                            pin = "4711",
                            amount = new { amount = 2500, currency = "EUR" },
                            from = "Max",
                            message = "<b>Bravo</b>",
                        }
                    )
                )
        );
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.delivery_due", shop, card, lea));
        var mail = await api.MailToAsync(lea);
        Assert.Equal("Une carte cadeau Librairie pour vous", mail.Subject);
        Assert.All(
            ["Max vous offre", "25,00 EUR", "0123-4567-89AB-CDEF", "4711", "&lt;b&gt;Bravo"],
            words => Assert.Contains(words, mail.Body, StringComparison.Ordinal)
        );

        var gone = GiftCardId.New(TimeProvider.System);
        api.Sidecar.OnInvoke("giftcard", $"internal/gift_cards/{gone}/delivery", _ => Task.FromResult(Gone()));
        var (other, key) = api.NewMerchant("Papeterie");
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.delivery_due", other, gone, late));
        Assert.Equal("delivery_gone", (await ListedAsync(key, "skipped")).GetProperty("last_error").GetString());
    }

    [Fact]
    public async Task A_merchant_is_welcomed()
    {
        var (shop, _) = api.NewMerchant("Newcomer");

        await api.Service.DeliverAsync(
            "merchant.onboarded.v1",
            new TestEvent(
                "merchant.onboarded",
                shop.ToString(),
                1,
                shop,
                new
                {
                    mode = "test",
                    country = "FR",
                    currency = "EUR",
                    locale = "fr",
                }
            )
        );
        var mail = await api.MailToAsync(shop);

        Assert.Equal("Welcome to LocalPlus", mail.Subject);
        Assert.Contains("Newcomer", mail.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_who_is_gone_is_not_written_to()
    {
        var (shop, key) = api.NewMerchant("Shop");
        var gone = api.NewCustomer("Gone");
        api.Sidecar.OnInvoke("wallet", $"internal/customers/{gone}/contact", _ => Task.FromResult(Gone()));

        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), gone)
        );

        Assert.Equal("recipient_unknown", (await ListedAsync(key, "skipped")).GetProperty("last_error").GetString());
    }

    [Fact]
    public async Task A_wallet_that_is_away_delays_the_mail()
    {
        var (shop, key) = api.NewMerchant("Shop");
        var dora = api.NewCustomer("Dora", walletUp: false);
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), dora)
        );
        await Eventually.TrueAsync(async () =>
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                .GetProperty("data")[0]
                .TryGetProperty("last_error", out var error)
            && error.GetString() == "contact_unavailable"
        );

        api.Sidecar.OnInvoke(
            "wallet",
            $"internal/customers/{dora}/contact",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            email = $"{dora}@holder.test",
                            name = "Dora",
                            locale = "en",
                        }
                    )
                )
        );
        await DueNowAsync();

        Assert.Contains("Hello Dora,", (await api.MailToAsync(dora)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_s_address_is_stored()
    {
        var (shop, key) = api.NewMerchant("Discreet");
        var frank = api.NewCustomer("Frank");
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), frank)
        );
        await api.MailToAsync(frank);
        await ListedAsync(key, "sent");

        Assert.DoesNotContain("@holder.test", await DumpAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("@holder.test", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_29_what_a_mail_server_says_is_not_repeated_anywhere()
    {
        var (shop, key) = api.NewMerchant("Canary");
        var (card, kim) = (GiftCardId.New(TimeProvider.System), api.NewCustomer("Kimberley-Canary"));
        api.Sidecar.OnInvoke(
            "giftcard",
            $"internal/gift_cards/{card}/delivery",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            code = "CANARY0123456789",
                            pin = "9043217",
                            amount = new { amount = 2500, currency = "EUR" },
                            from = "Max",
                            message = "canary-words",
                        }
                    )
                )
        );
        api.Smtp.Up = false;
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.delivery_due", shop, card, kim));
        await Eventually.TrueAsync(async () =>
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                .GetProperty("data")[0]
                .TryGetProperty("last_error", out var error)
            && error.GetString() == "smtp_unavailable"
        );
        api.Smtp.Up = true;

        var written =
            api.Service.Output
            + await DumpAsync()
            + await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key);

        Assert.Contains("smtp_unavailable", api.Service.Output, StringComparison.Ordinal);
        Assert.All(
            ["@holder.test", "CANARY", "CANA-RY01", "9043217", "canary-words", "Kimberley", "5.1.1"],
            canary => Assert.DoesNotContain(canary, written, StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task Fault_29_a_contact_that_is_none_stops_no_other_mail_and_is_not_quoted()
    {
        var (shop, key) = api.NewMerchant("Shop");
        var (broken, fine) = (api.NewCustomer("Broken"), api.NewCustomer("Fine"));
        api.Sidecar.OnInvoke(
            "wallet",
            $"internal/customers/{broken}/contact",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            email = "canary@leak.test",
                            name = 17,
                            locale = "en",
                        }
                    )
                )
        );

        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), broken)
        );
        await Eventually.TrueAsync(async () =>
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                .GetProperty("data")[0]
                .TryGetProperty("last_error", out var error)
            && error.GetString() == "not_sendable"
        );
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), fine)
        );

        await api.MailToAsync(fine);
        Assert.DoesNotContain("canary@leak", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_19_a_claim_is_short_and_kept_while_its_mail_is_on_its_way()
    {
        var (shop, key) = api.NewMerchant("Slow");
        var noa = api.NewCustomer("Noa");
        var arrives = new TaskCompletionSource();
        api.Smtp.Hold = arrives.Task;
        try
        {
            await api.Service.DeliverAsync(
                Cards,
                NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), noa)
            );
            var claim =
                $"SELECT count(*) FROM notifications WHERE merchant_id = '{shop.Value}' AND attempts = 1 AND due_at";
            // A dead sender's would end here; a living one's moves on.
            await Eventually.TrueAsync(async () =>
                await api.Database.ScalarAsync<long>($"{claim} > created_at + interval '12 seconds'") == 1
            );
            Assert.Equal(1L, await api.Database.ScalarAsync<long>($"{claim} < now() + interval '10 seconds'"));
        }
        finally
        {
            arrives.SetResult();
            api.Smtp.Hold = Task.CompletedTask;
        }

        await api.MailToAsync(noa);
        Assert.Equal(1, (await ListedAsync(key, "sent")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Fault_13_a_404_that_is_not_the_peers_own_word_puts_a_mail_off_and_skips_none()
    {
        var (shop, key) = api.NewMerchant("Shop");
        var (card, eva) = (GiftCardId.New(TimeProvider.System), api.NewCustomer("Eva"));
        var route = Results.NotFound();
        api.Sidecar.OnInvoke("wallet", $"internal/customers/{eva}/contact", _ => Task.FromResult(route));
        await api.Service.DeliverAsync(Cards, NotificationApi.Card("gift_card.activated", shop, card, eva));
        await UnavailableAsync(key, 1);

        // As a gateway says it, or a release of giftcard without that route.
        var other = Problems.Result(CommonFaults.NotFound, "Not Found");
        api.Sidecar.OnInvoke("giftcard", $"internal/gift_cards/{card}/delivery", _ => Task.FromResult(other));
        var (second, secondKey) = api.NewMerchant("Other");
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card("gift_card.delivery_due", second, card, api.NewCustomer("Ida"))
        );
        await UnavailableAsync(secondKey, 1);

        // The stand-in's own 404: nobody told it of this merchant.
        var unknown = MerchantId.New(TimeProvider.System);
        var unknownKey = api.Sidecar.IssueKey(unknown, "notifications:read");
        await api.Service.DeliverAsync(
            Cards,
            NotificationApi.Card(
                "gift_card.activated",
                unknown,
                GiftCardId.New(TimeProvider.System),
                api.NewCustomer("Una")
            )
        );
        await UnavailableAsync(unknownKey, 1);
    }

    private Task UnavailableAsync(string key, int count) =>
        Eventually.TrueAsync(
            async () =>
            {
                var all = (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key)).GetProperty("data");
                return all.GetArrayLength() == count
                    && all.EnumerateArray()
                        .All(n =>
                            n.GetProperty("status").GetString() == "pending"
                            && n.TryGetProperty("last_error", out var error)
                            && error.GetString() == "contact_unavailable"
                        );
            },
            because: () => api.Service.Output
        );

    private static IResult Gone() => Problems.Result(CommonFaults.NoSuchObject, "There is no such thing.");

    private async Task<JsonElement> ListedAsync(string key, string status)
    {
        JsonElement only = default;
        await Eventually.TrueAsync(
            async () =>
            {
                only = Assert.Single(
                    (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                        .GetProperty("data")
                        .EnumerateArray()
                );
                return only.GetProperty("status").GetString() == status;
            },
            because: () => api.Service.Output
        );
        return only;
    }

    private async Task DueNowAsync()
    {
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "UPDATE notifications SET due_at = '-infinity' WHERE state = 'pending'",
            connection
        );
        await command.ExecuteNonQueryAsync();
    }

    private async Task<string> DumpAsync()
    {
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT string_agg(n::text, ' ') FROM notifications n", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static TestEvent Redemption(string type, MerchantId shop, GiftCardId card, long amount)
    {
        var id = RedemptionId.New(TimeProvider.System).ToString();
        return new(
            type,
            id,
            2,
            shop,
            new
            {
                redemption_id = id,
                gift_card_ids = new[] { card.ToString() },
                amount,
                currency = "EUR",
                state = "completed",
            }
        );
    }
}
