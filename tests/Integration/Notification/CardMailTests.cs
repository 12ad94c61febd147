using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class CardMailTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    [Fact]
    public async Task A_card_s_mail_carries_a_sheet_to_print_and_the_day_it_ends()
    {
        var (shop, _) = api.NewMerchant("Printer");
        var (ole, card) = (api.NewCustomer("Ole"), GiftCardId.New(TimeProvider.System));
        api.Sidecar.OnInvoke(
            "giftcard",
            $"internal/gift_cards/{card}/delivery",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            code = "0123456789ABCDEF",
                            amount = new { amount = 2500, currency = "EUR" },
                            expires_at = "2030-12-31T00:00:00Z",
                        }
                    )
                )
        );
        await api.Service.DeliverAsync(
            "giftcard.cards.v1",
            NotificationApi.Card("gift_card.delivery_due", shop, card, ole)
        );
        var mail = await api.MailToAsync(ole);

        Assert.Equal(["gift-card.pdf", "good-until.ics"], mail.Files.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("%PDF-", Encoding.ASCII.GetString(mail.Files["gift-card.pdf"]), StringComparison.Ordinal);
        Assert.Contains(
            "DTSTART;VALUE=DATE:20301231",
            Encoding.ASCII.GetString(mail.Files["good-until.ics"]),
            StringComparison.Ordinal
        );
        Assert.Contains("Good until 31 December 2030.", mail.Text, StringComparison.Ordinal);
        Assert.Contains("0123-4567-89AB-CDEF", mail.Text, StringComparison.Ordinal);
        Assert.Null(mail.Header("List-Unsubscribe"));
        Assert.DoesNotContain("0123456789ABCDEF", string.Join('\n', mail.Message.Headers), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_holds_a_card_that_ends_soon_is_reminded_and_may_decline_that()
    {
        var (shop, key) = api.NewMerchant("Reminder");
        var (eva, card) = (api.NewCustomer("Eva"), GiftCardId.New(TimeProvider.System));
        await ExpiringAsync(shop, card, eva, DayAfter(20), 2);
        var mail = await api.MailToAsync(eva);

        Assert.StartsWith("Your Reminder gift card ends on ", mail.Subject, StringComparison.Ordinal);
        Assert.Contains("There is still 12.34 EUR", mail.Text, StringComparison.Ordinal);
        Assert.Contains("There is still 12.34 EUR", mail.Body, StringComparison.Ordinal);
        Assert.Equal(["good-until.ics"], mail.Files.Keys);
        Assert.Contains(
            $"DTSTART;VALUE=DATE:{DayAfter(20):yyyyMMdd}",
            Encoding.ASCII.GetString(mail.Files["good-until.ics"]),
            StringComparison.Ordinal
        );
        Assert.Equal("List-Unsubscribe=One-Click", mail.Header("List-Unsubscribe-Post"));

        var link = new Uri(mail.Header("List-Unsubscribe")!.Trim('<', '>')).AbsolutePath;
        using var request = new HttpRequestMessage(HttpMethod.Post, link);
        using var done = await api.Service.Public.SendAsync(request);
        Assert.Contains("gift cards that end soon", await done.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await ExpiringAsync(shop, card, eva, DayAfter(25), 3);
        await ReasonAsync(key, "declined");
    }

    [Fact]
    public async Task A_reminder_that_still_waits_is_not_sent_when_the_end_is_moved_or_past()
    {
        var (shop, key) = api.NewMerchant("Late");
        var card = GiftCardId.New(TimeProvider.System);
        var away = api.NewCustomer("Uwe", walletUp: false);
        await ExpiringAsync(shop, card, away, DayAfter(20), 2);
        await ReasonAsync(key, "contact_unavailable");
        await api.Service.DeliverAsync(
            "giftcard.cards.v1",
            NotificationApi.Card("gift_card.extended", shop, card, away, 3)
        );
        await ReasonAsync(key, "card_extended");

        var (other, ada) = (api.NewMerchant("Over"), api.NewCustomer("Ada"));
        await ExpiringAsync(other.Id, GiftCardId.New(TimeProvider.System), ada, DayAfter(-1), 2);
        await ReasonAsync(other.Key, "card_expired");
        Assert.Empty(api.MailsTo(ada));
    }

    private static DateTimeOffset DayAfter(int days) => TimeProvider.System.GetUtcNow().AddDays(days);

    private Task ExpiringAsync(
        MerchantId shop,
        GiftCardId card,
        CustomerId holder,
        DateTimeOffset end,
        long sequence
    ) =>
        api.Service.DeliverAsync(
            "giftcard.cards.v1",
            new TestEvent(
                "gift_card.expiring",
                card.ToString(),
                sequence,
                shop,
                new
                {
                    gift_card_id = card.ToString(),
                    program_id = ProgramId.New(TimeProvider.System).ToString(),
                    last4 = "7Q2M",
                    currency = "EUR",
                    balance = 1234,
                    expires_at = end,
                    customer_id = holder.ToString(),
                }
            )
        );

    /// <summary>Waits until one of the merchant's messages says why it did not go out.</summary>
    private Task ReasonAsync(string key, string reason) =>
        Eventually.TrueAsync(
            async () =>
                (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                    .GetProperty("data")
                    .EnumerateArray()
                    .Any(n => n.TryGetProperty("last_error", out var error) && error.GetString() == reason),
            because: () => api.Service.Output
        );
}
