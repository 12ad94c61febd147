using System.Globalization;
using System.Net;
using System.Text;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Mails;

/// <summary>What a message says, without who it goes to.</summary>
/// <param name="Shop">The merchant's name, as its customers know it.</param>
/// <param name="Name">The reader's name, if known.</param>
/// <param name="Last4">The last four characters of the card's code; more of it only in the mail that carries the
/// card.</param>
/// <param name="Support">Where the merchant's customers turn to.</param>
internal sealed record MailFacts(
    string Shop,
    string? Name,
    string? Last4,
    Money? Amount,
    string? Reference,
    CardDelivery? Delivery = null,
    string? Support = null
);

/// <summary>
/// A finished message. Dapr's smtp binding sends one HTML body, so the HTML is plain enough to read as text.
/// </summary>
internal sealed record Mail(string Subject, string Html);

/// <summary>The few words of each kind of message, in English and French.</summary>
internal static class MailTemplates
{
    private const string French = "fr";
    private const string End = "</body>\n</html>\n";

    public static Mail Render(string kind, string locale, MailFacts facts) =>
        (kind, locale) switch
        {
            (NotificationKinds.GiftCardActivated, French) => Build(
                locale,
                facts,
                $"Votre carte cadeau {facts.Shop}",
                $"Votre carte cadeau {facts.Shop} se terminant par {facts.Last4} est active.",
                $"Montant : {Format(facts.Amount, locale)}."
            ),
            (NotificationKinds.GiftCardActivated, _) => Build(
                locale,
                facts,
                $"Your {facts.Shop} gift card",
                $"Your {facts.Shop} gift card ending in {facts.Last4} is active.",
                $"Amount: {Format(facts.Amount, locale)}."
            ),
            (NotificationKinds.GiftCardDelivery, _) => Deliver(locale, facts, facts.Delivery!),
            (NotificationKinds.RedemptionCompleted, French) => Build(
                locale,
                facts,
                $"Votre reçu {facts.Shop}",
                $"Vous avez payé {Format(facts.Amount, locale)} chez {facts.Shop} avec la carte se terminant "
                    + $"par {facts.Last4}.",
                $"Référence : {facts.Reference}."
            ),
            (NotificationKinds.RedemptionCompleted, _) => Build(
                locale,
                facts,
                $"Your receipt from {facts.Shop}",
                $"You paid {Format(facts.Amount, locale)} at {facts.Shop} with the card ending in {facts.Last4}.",
                $"Reference: {facts.Reference}."
            ),
            (NotificationKinds.RedemptionRefunded, French) => Build(
                locale,
                facts,
                $"Votre remboursement {facts.Shop}",
                $"{facts.Shop} a remboursé {Format(facts.Amount, locale)} sur la carte se terminant "
                    + $"par {facts.Last4}.",
                $"Référence : {facts.Reference}."
            ),
            (NotificationKinds.RedemptionRefunded, _) => Build(
                locale,
                facts,
                $"Your refund from {facts.Shop}",
                $"{facts.Shop} refunded {Format(facts.Amount, locale)} to the card ending in {facts.Last4}.",
                $"Reference: {facts.Reference}."
            ),
            (NotificationKinds.GiftCardPinLocked, French) => Build(
                locale,
                facts,
                $"Votre carte cadeau {facts.Shop} : code PIN bloqué",
                $"Le code PIN de votre carte cadeau {facts.Shop} se terminant par {facts.Last4} a été saisi trop de "
                    + "fois de travers. Il est bloqué pour un moment.",
                $"Si ce n'était pas vous, adressez-vous à {facts.Shop}."
            ),
            (NotificationKinds.GiftCardPinLocked, _) => Build(
                locale,
                facts,
                $"Your {facts.Shop} gift card: PIN locked",
                $"The PIN of your {facts.Shop} gift card ending in {facts.Last4} was entered wrongly too often. It is "
                    + "locked for a while.",
                $"If it was not you, ask {facts.Shop}."
            ),
            _ => RenderForMerchant(kind, locale, facts),
        };

    private static Mail RenderForMerchant(string kind, string locale, MailFacts facts) =>
        (kind, locale) switch
        {
            (NotificationKinds.WebhookFailing, French) => Build(
                locale,
                facts,
                "Un de vos webhooks est désactivé",
                $"Rien n'est arrivé au webhook {facts.Reference} depuis cinq jours. Nous n'y envoyons plus rien.",
                "Réparez-le, réactivez-le, puis faites renvoyer ce qui a manqué."
            ),
            (NotificationKinds.WebhookFailing, _) => Build(
                locale,
                facts,
                "One of your webhooks is disabled",
                $"Nothing has arrived at the webhook {facts.Reference} for five days. We send nothing there any more.",
                "Mend it, enable it again, and have what was missed sent again."
            ),
            (NotificationKinds.WebhookGone, French) => Build(
                locale,
                facts,
                "Un de vos webhooks est désactivé",
                $"Le webhook {facts.Reference} a répondu qu'il n'existe plus (410). Nous n'y envoyons plus rien.",
                "S'il existe encore, réactivez-le, puis faites renvoyer ce qui a manqué."
            ),
            (NotificationKinds.WebhookGone, _) => Build(
                locale,
                facts,
                "One of your webhooks is disabled",
                $"The webhook {facts.Reference} answered that it is gone (410). We send nothing there any more.",
                "If it is not, enable it again, and have what was missed sent again."
            ),
            (NotificationKinds.MerchantWelcome, French) => Build(
                locale,
                facts,
                "Bienvenue chez LocalPlus",
                $"{facts.Shop} est inscrit chez LocalPlus.",
                "Votre première clé d'API vous a été montrée à l'inscription ; nous n'en gardons pas de copie."
            ),
            (NotificationKinds.MerchantWelcome, _) => Build(
                locale,
                facts,
                "Welcome to LocalPlus",
                $"{facts.Shop} is signed up with LocalPlus.",
                "Your first API key was shown when you signed up; we keep no copy of it."
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No template."),
        };

    private static Mail Deliver(string locale, MailFacts facts, CardDelivery card)
    {
        var (amount, isFrench) = (Format(card.Amount, locale), locale == French);
        string?[] paragraphs =
        [
            (isFrench, card.From) switch
            {
                (true, null) => $"Voici votre carte cadeau {facts.Shop} d'une valeur de {amount}.",
                (true, var giver) => $"{giver} vous offre une carte cadeau {facts.Shop} d'une valeur de {amount}.",
                (false, null) => $"Here is your {facts.Shop} gift card worth {amount}.",
                (false, var giver) => $"{giver} sends you a {facts.Shop} gift card worth {amount}.",
            },
            card.Message,
            $"Code{(isFrench ? " :" : ":")} {string.Join('-', card.Code.Chunk(4).Select(c => new string(c)))}",
            card.Pin is null ? null : $"PIN{(isFrench ? " :" : ":")} {card.Pin}",
        ];
        var mail = Build(
            locale,
            facts,
            isFrench ? $"Une carte cadeau {facts.Shop} pour vous" : $"A {facts.Shop} gift card for you",
            [.. paragraphs.OfType<string>()]
        );
        var pictures = $"{CodePictures.Qr(card.Code)}<br>\n{CodePictures.Code128(card.Code)}{End}";
        return mail with { Html = mail.Html.Replace(End, pictures, StringComparison.Ordinal) };
    }

    /// <summary>The amount with its currency's own number of decimals: 50.00 EUR, 50,00 EUR, 5000 JPY.</summary>
    internal static string Format(Money? amount, string locale)
    {
        if (amount is not { } money)
        {
            return "-";
        }

        var decimals = money.Currency.Exponent;
        var digits = Math.Abs(money.MinorUnits).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var text = new StringBuilder(money.MinorUnits < 0 ? "-" : "").Append(
            digits.AsSpan(0, digits.Length - decimals)
        );
        if (decimals > 0)
        {
            text.Append(locale == French ? ',' : '.').Append(digits.AsSpan(digits.Length - decimals));
        }

        return text.Append(' ').Append(money.Currency.Code).ToString();
    }

    private static Mail Build(string locale, MailFacts facts, string subject, params ReadOnlySpan<string> paragraphs)
    {
        var greeting = (locale, facts.Name) switch
        {
            (French, null) => "Bonjour,",
            (French, var name) => $"Bonjour {name},",
            (_, null) => "Hello,",
            (_, var name) => $"Hello {name},",
        };
        var html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"")
            .Append(locale)
            .Append("\">\n<head><meta charset=\"utf-8\"><title>")
            .Append(WebUtility.HtmlEncode(subject))
            .Append("</title></head>\n<body>\n");
        Paragraph(html, greeting);
        foreach (var paragraph in paragraphs)
        {
            Paragraph(html, paragraph);
        }

        if (facts.Support is { } support)
        {
            Paragraph(
                html,
                locale == French ? $"Une question ? Écrivez à {support}." : $"Questions? Write to {support}."
            );
        }

        return new Mail(subject, html.Append(End).ToString());
    }

    // Names come from people: everything is encoded.
    private static void Paragraph(StringBuilder html, string text) =>
        html.Append("<p>").Append(WebUtility.HtmlEncode(text)).Append("</p>\n");
}
