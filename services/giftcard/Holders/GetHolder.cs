using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Holders;

/// <summary>
/// GET /internal/holders/{id}?merchant_id=&amp;after=, for the wallet when a person asks what is kept: its cards, what
/// moved their value, and what was written to whom they were for. A holder that is not known has none.
/// </summary>
internal static class GetHolder
{
    private const int PageSize = 50;

    /// <param name="GiverName">What the giver of a card that was sent wrote, while it is kept.</param>
    internal sealed record HeldCard(
        GiftCardId Id,
        string Object,
        ProgramId ProgramId,
        string Last4,
        string Status,
        string Currency,
        string? Reference,
        JsonElement? Metadata,
        string? GiverName,
        string? GiverMessage,
        DateTimeOffset? DeliverAt,
        DateTimeOffset? SentAt,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset CreatedAt,
        DateTimeOffset? ActivatedAt,
        IReadOnlyList<HeldActivity> Activities
    );

    internal sealed record HeldActivity(
        string Type,
        long Amount,
        RedemptionId? RedemptionId,
        string? Reference,
        string? Reason,
        DateTimeOffset OccurredAt
    );

    /// <param name="Next">Where it goes on; absent at its end.</param>
    internal sealed record Response(IReadOnlyList<HeldCard> Data, Guid? Next);

    public static IEndpointRouteBuilder MapGetHolder(this IEndpointRouteBuilder intern)
    {
        intern.MapGet("/holders/{id}", HandleAsync).CalledBy("wallet").WithName(nameof(GetHolder)).Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        Database database,
        CardSecrets secrets,
        CancellationToken cancel,
        Guid? after = null
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var cards = await db.QueryAsync<CardRow>(
            Sql.Cards,
            new
            {
                CustomerId = id,
                MerchantId = merchantId,
                After = after ?? Guid.Empty,
                Take = PageSize + 1,
            }
        );
        var shown = cards.Take(PageSize).ToArray();
        var ids = new { GiftCardIds = shown.Select(card => card.GiftCardId).ToArray() };
        var activities = (await db.QueryAsync<ActivityRow>(Sql.Activities, ids)).ToLookup(row => row.GiftCardId);
        return Answer.Ok(
            new Response(
                [.. shown.Select(card => card.ToView(secrets, activities[card.GiftCardId]))],
                cards.Count > PageSize ? shown[^1].GiftCardId.Value : null
            )
        );
    }

    private sealed record CardRow(
        GiftCardId GiftCardId,
        ProgramId ProgramId,
        string Last4,
        string Status,
        string Currency,
        string? Reference,
        string? Metadata,
        byte[]? SealedNote,
        DateTimeOffset? DeliverAt,
        DateTimeOffset? SentAt,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset CreatedAt,
        DateTimeOffset? ActivatedAt
    )
    {
        public HeldCard ToView(CardSecrets secrets, IEnumerable<ActivityRow> activities)
        {
            var note = SealedNote is null ? null : CardDeliveries.OpenNote(SealedNote, GiftCardId, secrets);
            return new(
                GiftCardId,
                "gift_card",
                ProgramId,
                Last4,
                Status,
                Currency,
                Reference,
                Metadata is null ? null : JsonElement.Parse(Metadata),
                note?.From,
                note?.Message,
                DeliverAt,
                SentAt,
                ExpiresAt,
                CreatedAt,
                ActivatedAt,
                [
                    .. activities.Select(a => new HeldActivity(
                        a.Kind,
                        a.Amount,
                        a.RedemptionId,
                        a.Reference,
                        a.Reason,
                        a.OccurredAt
                    )),
                ]
            );
        }
    }

    private sealed record ActivityRow(
        GiftCardId GiftCardId,
        string Kind,
        long Amount,
        RedemptionId? RedemptionId,
        string? Reference,
        string? Reason,
        DateTimeOffset OccurredAt
    );

    private static class Sql
    {
        public const string Cards = """
            SELECT c.gift_card_id, c.program_id, c.last4, c.status, c.currency, c.reference,
                   c.metadata::text AS metadata, d.sealed_note, d.deliver_at, d.sent_at, c.expires_at, c.created_at,
                   c.activated_at
              FROM gift_cards c
              LEFT JOIN card_deliveries d
                ON d.gift_card_id = c.gift_card_id
             WHERE c.customer_id = @CustomerId
               AND c.merchant_id = @MerchantId
               AND c.gift_card_id > @After
             ORDER BY c.gift_card_id
             LIMIT @Take
            """;

        public const string Activities = """
            SELECT gift_card_id, kind, amount, redemption_id, reference, reason, occurred_at
              FROM gift_card_activities
             WHERE gift_card_id = ANY(@GiftCardIds)
             ORDER BY occurred_at, activity_id
            """;
    }
}
