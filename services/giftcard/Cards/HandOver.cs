using System.Text.Json;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// Puts a card's code into the answer to its sale. Answers are stored without codes; the code waits sealed beside them
/// for a day, so that a repeat of the sale (the answer got lost) can still hand the card over.
/// </summary>
internal sealed class HandOver(Database database, CardSecrets secrets, TimeProvider time)
{
    internal sealed record Secret(string Code, string? Pin = null);

    /// <summary>The answer with the code, while it may be had; refusals stay as they are.</summary>
    public async Task<Answer> AddCodeAsync(Answer stored, CancellationToken cancel)
    {
        if (stored.Status != StatusCodes.Status201Created)
        {
            return stored;
        }

        var view = JsonSerializer.Deserialize<CardView>(stored.Body, StrictJson.Lenient)!;
        var sealedCode = await database.QuerySingleOrDefaultAsync<byte[]>(
            Sql.Get,
            new { GiftCardId = view.Id, Now = time.GetUtcNow() },
            cancel
        );
        if (sealedCode is null)
        {
            return stored;
        }

        var secret = JsonSerializer.Deserialize<Secret>(secrets.Open(sealedCode, view.Id), StrictJson.Lenient)!;
        return stored with
        {
            Body = JsonSerializer.SerializeToUtf8Bytes(
                view with
                {
                    Code = secret.Code,
                    Pin = secret.Pin,
                },
                StrictJson.Options
            ),
        };
    }

    private static class Sql
    {
        public const string Get = """
            SELECT sealed
              FROM sealed_codes
             WHERE gift_card_id = @GiftCardId
               AND purpose = 'hand_over'
               AND expires_at > @Now
            """;
    }
}
