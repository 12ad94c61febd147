using System.Net;
using System.Text;
using LocalPlus.Hosting;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// /unsubscribe/{token}, for readers and their mail programs, without signing in. GET shows what it is about and a
/// button, and changes nothing: scanners follow links. POST does it (RFC 8058), as often as it comes, and its answer is
/// 200. A token that is none is 404.
/// </summary>
internal static class UnsubscribePage
{
    private const string Policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

    public static void MapUnsubscribe(this WebApplication app)
    {
        var pages = app.MapGroup(UnsubscribeTokens.Path).RequirePort(Port.Public).AllowAnonymous();
        pages.MapGet("/{token}", ShowAsync).ExcludeFromDescription();
        pages.MapPost("/{token}", HandleAsync).ExcludeFromDescription();
    }

    private static Task<IResult> ShowAsync(HttpContext http, string token, UnsubscribeTokens tokens)
    {
        var words = Words.Of(http);
        return Task.FromResult(
            tokens.TryRead(token, out var wish)
                ? Page(http, words, words.Question(wish.Kind), button: words.Button)
                : Unknown(http, words)
        );
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string token,
        UnsubscribeTokens tokens,
        Database database,
        TimeProvider time,
        ILogger<UnsubscribeTokens> log,
        CancellationToken cancel
    )
    {
        var words = Words.Of(http);
        if (!tokens.TryRead(token, out var wish))
        {
            return Unknown(http, words);
        }

        using var ofMerchant = RowSecurity.For(wish.MerchantId);
        await using var db = await database.BeginAsync(cancel);
        var changed = await db.ExecuteAsync(
            Sql.Decline,
            new
            {
                wish.MerchantId,
                wish.AddressHash,
                wish.CustomerId,
                wish.Kind,
                UpdatedAt = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
        if (changed > 0)
        {
            log.Unsubscribed(wish.MerchantId, wish.Kind);
        }

        return Page(http, words, words.Done(wish.Kind));
    }

    private static IResult Unknown(HttpContext http, Words words) =>
        Page(http, words, words.Unknown, StatusCodes.Status404NotFound);

    private static IResult Page(
        HttpContext http,
        Words words,
        string sentence,
        int status = StatusCodes.Status200OK,
        string? button = null
    )
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex";
        var form = button is null
            ? ""
            : "<form method=\"post\"><button name=\"List-Unsubscribe\" value=\"One-Click\">"
                + $"{WebUtility.HtmlEncode(button)}</button></form>\n";
        var html = $$"""
            <!DOCTYPE html>
            <html lang="{{words.Language}}">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{WebUtility.HtmlEncode(words.Title)}}</title>
            <style>
            body { margin: 10vh auto; max-width: 32rem; padding: 0 1rem; font: 1rem/1.5 sans-serif; color: #111827; }
            button { font: inherit; padding: .5rem 1rem; }
            </style>
            </head>
            <body>
            <main>
            <h1>{{WebUtility.HtmlEncode(words.Title)}}</h1>
            <p>{{WebUtility.HtmlEncode(sentence)}}</p>
            {{form}}</main>
            </body>
            </html>

            """;
        return Results.Content(html, "text/html; charset=utf-8", Encoding.UTF8, status);
    }

    /// <summary>What the page says, in the language that the reader's program prefers.</summary>
    private sealed record Words(bool IsFrench)
    {
        public string Language => IsFrench ? "fr" : "en";

        public string Title => IsFrench ? "Vos messages" : "Your messages";

        public string Button => IsFrench ? "Ne plus recevoir" : "Unsubscribe";

        public string Unknown => IsFrench ? "Ce lien n'est pas complet." : "This link is not complete.";

        public static Words Of(HttpContext http) =>
            new(
                http.Request.GetTypedHeaders()
                    .AcceptLanguage.FirstOrDefault()
                    ?.Value.StartsWith("fr", StringComparison.OrdinalIgnoreCase)
                    ?? false
            );

        public string Question(string kind) =>
            IsFrench
                ? $"Ne plus recevoir de ce commerce les messages de ce genre : {Name(kind)} ?"
                : $"Get no more messages of this kind from this shop: {Name(kind)}?";

        public string Done(string kind) =>
            IsFrench
                ? $"C'est fait : plus de messages de ce genre ({Name(kind)}) de ce commerce."
                : $"Done: no more messages of this kind ({Name(kind)}) from this shop.";

        private string Name(string kind) =>
            (kind, IsFrench) switch
            {
                (NotificationKinds.CardExpiring, true) => "cartes cadeaux qui expirent bientôt",
                (NotificationKinds.CardExpiring, _) => "gift cards that end soon",
                (NotificationKinds.GiftCardActivated, true) => "cartes cadeaux activées",
                (NotificationKinds.GiftCardActivated, _) => "gift cards that became active",
                (NotificationKinds.RedemptionCompleted, true) => "reçus",
                (NotificationKinds.RedemptionCompleted, _) => "receipts",
                (NotificationKinds.RedemptionRefunded, true) => "remboursements",
                (NotificationKinds.RedemptionRefunded, _) => "refunds",
                _ => kind,
            };
    }

    private static class Sql
    {
        // One that was said before changes nothing; nothing is kept of who was forgotten.
        public const string Decline = """
            INSERT INTO notification_recipients AS r (merchant_id, address_hash, customer_id, declined, sms_kinds,
                   version, updated_at)
            SELECT @MerchantId, @AddressHash, @CustomerId, ARRAY[@Kind], '{}', 1, @UpdatedAt
             WHERE NOT EXISTS (SELECT FROM forgotten_holders f WHERE f.customer_id = @CustomerId)
                ON CONFLICT (merchant_id, address_hash) DO UPDATE
               SET declined = array_append(r.declined, @Kind),
                   version = r.version + 1,
                   updated_at = @UpdatedAt
             WHERE NOT @Kind = ANY(r.declined)
            """;
    }
}
