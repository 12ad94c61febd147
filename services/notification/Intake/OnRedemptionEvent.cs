using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Intake;

/// <summary>
/// giftcard.redemptions.v1: a receipt after a payment or a refund to each holder of its cards, over what their own cards gave or
/// got. A card that is known to belong to nobody gets none; a card whose own event has not come yet is looked up again
/// when the mail is sent.
/// </summary>
internal static class OnRedemptionEvent
{
    internal sealed record SourceAmount(GiftCardId GiftCardId, long Amount);

    /// <param name="Sources">What of the amount is each card's; absent in events of before it was told.</param>
    internal sealed record Data(
        RedemptionId RedemptionId, IReadOnlyList<GiftCardId> GiftCardIds, long Amount, string Currency,
        IReadOnlyList<SourceAmount>? Sources = null);

    public static async Task HandleAsync(EventEnvelope<Data> e, DbSession db, IServiceProvider services)
    {
        var kind = e.Type switch
        {
            "redemption.completed" => NotificationKinds.RedemptionCompleted,
            "redemption.refunded" => NotificationKinds.RedemptionRefunded,
            _ => null,
        };
        if (kind is null || e.MerchantId is not { } merchant || e.Data.GiftCardIds is not [var first, ..])
        {
            return;
        }

        var sources = e.Data.Sources ?? [new(first, e.Data.Amount)];
        var holders = (await db.QueryAsync<Holder>(Sql.Holders, new { GiftCardIds = sources.Select(s => s.GiftCardId.Value).ToArray() }))
            .ToDictionary(h => h.GiftCardId, h => h.CustomerId);
        var time = services.GetRequiredService<TimeProvider>();
        var nobody = Guid.Empty;
        foreach (var reader in sources.GroupBy(s => holders.TryGetValue(s.GiftCardId.Value, out var holder)
            ? holder ?? nobody
            : s.GiftCardId.Value))
        {
            if (reader.Key != nobody)
            {
                var mail = new NewNotification(
                    e.Id, merchant, kind, reader.First().GiftCardId, e.Data.RedemptionId, reader.Sum(s => s.Amount), e.Data.Currency);
                await mail.AddAsync(db, time);
            }
        }
    }

    private sealed record Holder(Guid GiftCardId, Guid? CustomerId);

    private static class Sql
    {
        public const string Holders = """
            SELECT gift_card_id, customer_id
              FROM card_holders
             WHERE gift_card_id = ANY(@GiftCardIds)
            """;
    }
}
