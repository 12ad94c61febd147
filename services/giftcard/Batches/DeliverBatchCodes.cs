using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Batches;

/// <summary>
/// POST /v1/gift_cards/bulk/{id}/codes: the codes of a batch as CSV, or as sheets to print (PDF), once, encrypted to
/// the caller's RSA key (JWE): nobody between here and the printer can read them, and here they are erased in the same
/// transaction. A repeat with the same key gets the same ciphertext. Refusals: not_found, batch_not_ready, codes_gone,
/// invalid_request (not a public RSA key of 2048 bits or more, more cards than are printed on sheets).
/// </summary>
internal static class DeliverBatchCodes
{
    public static IEndpointRouteBuilder MapDeliverBatchCodes(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/bulk/{id}/codes", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.BatchNotReady, Faults.CodesGone)
            .WithName(nameof(DeliverBatchCodes))
            .Produces<View>();
        return group;
    }

    /// <param name="PublicKey">PEM, "-----BEGIN PUBLIC KEY-----".</param>
    /// <param name="Format">
    /// csv, or pdf for a batch of at most <see cref="GiftcardLimits.BatchSheetsMax"/> cards.
    /// </param>
    internal sealed record Request(string PublicKey, string Format = Csv);

    /// <param name="Jwe">
    /// Compact serialisation, RSA-OAEP-256 and A256GCM; what is inside is text/csv or application/pdf, as its header's
    /// cty says.
    /// </param>
    internal sealed record View(JobId BatchId, int Count, string Jwe)
    {
        public string Object { get; } = "gift_card_codes";
    }

    private const string Csv = "csv";
    private const string Pdf = "pdf";

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        Request request,
        IdempotentRequests requests,
        CardSecrets secrets,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        using var key =
            Jwe.PublicKey(request.PublicKey)
            ?? throw Faults.Invalid("/public_key", "It is not a public RSA key of 2048 bits or more.");
        new FieldChecks().Require(request.Format is Csv or Pdf, "/format", "unknown_format").ThrowIfAny();
        return await requests.ExecuteAsync(
            http,
            request,
            db => DeliverAsync(db, http.GetMerchant().MerchantId, id, request.Format, key, secrets, time),
            cancel
        );
    }

    private static async Task<Answer> DeliverAsync(
        DbSession db,
        MerchantId merchant,
        JobId id,
        string format,
        RSA key,
        CardSecrets secrets,
        TimeProvider time
    )
    {
        var batch =
            await db.QuerySingleOrDefaultAsync<BatchRow>(Sql.Lock, new { BatchId = id, MerchantId = merchant })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such batch.");
        if (batch.State == "making")
        {
            throw new FaultException(Faults.BatchNotReady, $"{batch.Made} of {batch.Quantity} cards are made.");
        }

        if (batch.State != "ready" || batch.CodesUntil <= time.GetUtcNow())
        {
            throw new FaultException(
                Faults.CodesGone,
                "The codes were fetched before, or not in time, and are erased."
            );
        }

        if (format == Pdf && batch.Quantity > GiftcardLimits.BatchSheetsMax)
        {
            throw Faults.Invalid(
                "/format",
                $"At most {GiftcardLimits.BatchSheetsMax} cards are printed on sheets: fetch the codes as csv."
            );
        }

        Card[] cards =
        [
            .. (await db.QueryAsync<SealedCard>(Sql.Codes, new { batch.BatchId })).Select(card => new Card(
                card,
                JsonSerializer.Deserialize<HandOver.Secret>(
                    secrets.Open(card.Sealed, card.GiftCardId),
                    StrictJson.Lenient
                )!
            )),
        ];
        await db.ExecuteAsync(Sql.Erase, new { batch.BatchId, Now = time.GetUtcNow() });
        var jwe =
            format == Pdf
                ? Jwe.Encrypt(
                    CodeSheets.Draw([.. cards.Select(card => new PrintedCard(card.Secret.Code, card.Secret.Pin))]),
                    "application/pdf",
                    key
                )
                : Jwe.Encrypt(Encoding.UTF8.GetBytes(AsCsv(cards)), "text/csv", key);
        return Answer.Ok(new View(id, cards.Length, jwe));
    }

    private static string AsCsv(IEnumerable<Card> cards)
    {
        var csv = new StringBuilder("gift_card_id,code,pin,last4,currency\r\n");
        foreach (var (card, secret) in cards)
        {
            csv.Append(
                CultureInfo.InvariantCulture,
                $"{card.GiftCardId},{secret.Code},{secret.Pin},{card.Last4},{card.Currency}\r\n"
            );
        }

        return csv.ToString();
    }

    private sealed record Card(SealedCard Row, HandOver.Secret Secret);

    private sealed record SealedCard(GiftCardId GiftCardId, string Last4, string Currency, byte[] Sealed);

    private static class Sql
    {
        public const string Lock = $"""
            {BatchRow.Columns}
             WHERE b.batch_id = @BatchId
               AND b.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        // At most a batch: its quantity is bounded.
        public const string Codes = """
            SELECT c.gift_card_id, c.last4, c.currency, s.sealed
              FROM gift_cards c
              JOIN sealed_codes s
                ON s.gift_card_id = c.gift_card_id
             WHERE c.batch_id = @BatchId
               AND s.purpose = 'batch'
             ORDER BY c.gift_card_id
            """;

        public const string Erase = """
            DELETE FROM sealed_codes s
             USING gift_cards c
             WHERE c.batch_id = @BatchId
               AND s.gift_card_id = c.gift_card_id
               AND s.purpose = 'batch';
            UPDATE card_batches
               SET state = 'delivered', delivered_at = @Now, version = version + 1
             WHERE batch_id = @BatchId
            """;
    }
}
