using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Intake;

/// <summary>
/// giftcard.redemptions.v1: a receipt after a payment or a refund to each holder of its cards, over what their own
/// cards gave or got. A card that is known to belong to nobody gets none; a card whose own event has not come yet is
/// looked up again when the mail is sent.
/// </summary>
internal static class OnRedemptionEvent
{
    internal sealed record SourceAmount(GiftCardId GiftCardId, long Amount);

    /// <param name="Sources">What of the amount is each card's; absent in events of before it was told.</param>
    /// <param name="Notify">False when an operator decided that nobody is told.</param>
    internal sealed record Data(
        RedemptionId RedemptionId,
        IReadOnlyList<GiftCardId> GiftCardIds,
        long Amount,
        string Currency,
        IReadOnlyList<SourceAmount>? Sources = null,
        bool? Notify = null
    );

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var silenced = events.Where(e => e.Data.Notify == false).Select(e => e.Data.RedemptionId).Distinct().ToArray();
        if (silenced.Length > 0)
        {
            await db.ExecuteAsync(Sql.Skip, new { RedemptionIds = silenced });
        }

        var cards = events.SelectMany(SourcesOf).Select(source => source.GiftCardId).Distinct().ToArray();
        if (cards.Length == 0)
        {
            return;
        }

        var holders = (await db.QueryAsync<Holder>(Sql.Holders, new { GiftCardIds = cards })).ToDictionary(
            h => h.GiftCardId,
            h => h.CustomerId
        );
        var time = services.GetRequiredService<TimeProvider>();
        foreach (var mail in events.SelectMany(e => MailsOf(e, holders)))
        {
            await mail.AddAsync(db, time);
        }
    }

    private static IEnumerable<NewNotification> MailsOf(
        EventEnvelope<Data> e,
        Dictionary<GiftCardId, CustomerId?> holders
    )
    {
        var nobody = Guid.Empty;
        return SourcesOf(e)
            .GroupBy(s =>
                holders.TryGetValue(s.GiftCardId, out var holder) ? holder?.Value ?? nobody : s.GiftCardId.Value
            )
            .Where(reader => reader.Key != nobody)
            .Select(reader => new NewNotification(
                e.Id,
                e.MerchantId!.Value,
                KindOf(e.Type)!,
                reader.First().GiftCardId,
                e.Data.RedemptionId,
                reader.Sum(s => s.Amount),
                e.Data.Currency
            ));
    }

    /// <summary>None if the event is nothing to write about.</summary>
    private static IReadOnlyList<SourceAmount> SourcesOf(EventEnvelope<Data> e) =>
        KindOf(e.Type) is null
        || e.Data.Notify == false
        || e.MerchantId is null
        || e.Data.GiftCardIds is not [var first, ..]
            ? []
            : e.Data.Sources ?? [new(first, e.Data.Amount)];

    private static string? KindOf(string type) =>
        type switch
        {
            "redemption.completed" => NotificationKinds.RedemptionCompleted,
            "redemption.refunded" => NotificationKinds.RedemptionRefunded,
            _ => null,
        };

    private sealed record Holder(GiftCardId GiftCardId, CustomerId? CustomerId);

    private static class Sql
    {
        // What waits for the mail server; few do.
        public const string Skip = """
            UPDATE notifications
               SET state = 'skipped', due_at = NULL
             WHERE redemption_id = ANY(@RedemptionIds)
               AND state = 'pending'
            """;

        public const string Holders = """
            SELECT gift_card_id, customer_id
              FROM card_holders
             WHERE gift_card_id = ANY(@GiftCardIds)
            """;
    }
}
