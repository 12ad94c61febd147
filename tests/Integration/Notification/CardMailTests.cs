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
}
