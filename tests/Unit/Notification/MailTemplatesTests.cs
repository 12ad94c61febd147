using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class MailTemplatesTests
{
    private static readonly MailFacts Facts = new("Le Fournil", "Anna", "7Q2M", new Money(5000, Currency.Eur), "rdm_1");

    [Fact]
    public void An_activation_names_shop_card_and_amount()
    {
        var mail = MailTemplates.Render("gift_card_activated", "en", Facts);

        Assert.Equal("Your Le Fournil gift card", mail.Subject);
        Assert.Contains("<html lang=\"en\">", mail.Html, StringComparison.Ordinal);
        Assert.Contains("Hello Anna,", mail.Html, StringComparison.Ordinal);
        Assert.Contains("ending in 7Q2M", mail.Html, StringComparison.Ordinal);
        Assert.Contains("50.00 EUR", mail.Html, StringComparison.Ordinal);
    }

    [Fact]
    public void French_readers_get_French()
    {
        var mail = MailTemplates.Render("redemption_completed", "fr", Facts);

        Assert.Equal("Votre reçu Le Fournil", mail.Subject);
        Assert.Contains("Bonjour Anna,", mail.Html, StringComparison.Ordinal);
        Assert.Contains("50,00 EUR", mail.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "There is still 50.00 EUR", "good until 31 December 2030")]
    [InlineData("fr", "Il reste 50,00 EUR", "valable jusqu'au 31 décembre 2030")]
    public void A_reminder_names_what_is_left_and_the_day(string locale, string left, string day)
    {
        var end = new DateTimeOffset(2030, 12, 31, 0, 0, 0, TimeSpan.Zero);
        var mail = MailTemplates.Render("card_expiring", locale, Facts with { ExpiresAt = end });

        Assert.Contains("2030", mail.Subject, StringComparison.Ordinal);
        Assert.All(
            [mail.Text, System.Net.WebUtility.HtmlDecode(mail.Html)],
            text =>
            {
                Assert.Contains(left, text, StringComparison.Ordinal);
                Assert.Contains(day, text, StringComparison.Ordinal);
            }
        );
    }

    [Theory]
    [InlineData("en", "Questions? Write to aide@fournil.test.")]
    [InlineData("fr", "Une question ? Écrivez à aide@fournil.test.")]
    public void The_shop_s_support_address_stands_below(string locale, string line)
    {
        var mail = MailTemplates.Render("redemption_completed", locale, Facts with { Support = "aide@fournil.test" });

        Assert.Contains(line, System.Net.WebUtility.HtmlDecode(mail.Html), StringComparison.Ordinal);
        Assert.DoesNotContain(
            line,
            System.Net.WebUtility.HtmlDecode(MailTemplates.Render("redemption_completed", locale, Facts).Html),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Names_can_not_smuggle_markup()
    {
        var mail = MailTemplates.Render(
            "gift_card_activated",
            "en",
            Facts with
            {
                Shop = "<script>x</script>",
                Name = "<b>&",
            }
        );

        Assert.DoesNotContain("<script>", mail.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", mail.Html, StringComparison.Ordinal);
        Assert.Contains("Hello &lt;b&gt;&amp;,", mail.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("card_expiring")]
    [InlineData("gift_card_activated")]
    [InlineData("merchant_welcome")]
    [InlineData("redemption_completed")]
    [InlineData("redemption_refunded")]
    public void Every_kind_has_both_languages_and_needs_no_name(string kind)
    {
        var english = MailTemplates.Render(kind, "en", Facts with { Name = null });
        var french = MailTemplates.Render(kind, "fr", Facts with { Name = null });

        Assert.Contains("Hello,", english.Html, StringComparison.Ordinal);
        Assert.Contains("Bonjour,", french.Html, StringComparison.Ordinal);
        Assert.NotEqual(english.Subject, french.Subject);
    }

    [Theory]
    [InlineData(5000, "EUR", "en", "50.00 EUR")]
    [InlineData(5, "EUR", "fr", "0,05 EUR")]
    [InlineData(-1234, "EUR", "en", "-12.34 EUR")]
    [InlineData(5000, "JPY", "en", "5000 JPY")]
    [InlineData(5000, "KWD", "en", "5.000 KWD")]
    [InlineData(5000, "CLF", "en", "0.5000 CLF")]
    [InlineData(123_456, "UYW", "fr", "12,3456 UYW")]
    [InlineData(0, "USD", "en", "0.00 USD")]
    public void Amounts_carry_their_currency_s_decimals(long minorUnits, string currency, string locale, string text) =>
        Assert.Equal(text, MailTemplates.Format(new Money(minorUnits, Currency.Parse(currency)), locale));

    [Theory]
    [InlineData("anna@example.test", "a***@***.test")]
    [InlineData("a@b.co.uk", "a***@***.uk")]
    [InlineData("broken", "***")]
    [InlineData("a.b@localhost", "***")]
    public void A_masked_address_tells_first_letter_and_top_level_domain(string address, string masked) =>
        Assert.Equal(masked, MaskedAddress.Of(address));

    [Fact]
    public void Attempts_back_off_to_an_hour_and_end()
    {
        Assert.Equal(TimeSpan.FromSeconds(5), Backoff.After(1));
        Assert.Equal(TimeSpan.FromSeconds(10), Backoff.After(2));
        Assert.All(
            Enumerable.Range(1, Backoff.MaxAttempts - 1),
            n => Assert.True(Backoff.After(n) <= TimeSpan.FromHours(1))
        );
        Assert.Null(Backoff.After(Backoff.MaxAttempts));
    }
}
