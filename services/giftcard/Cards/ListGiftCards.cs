using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// GET /v1/gift_cards: a merchant's cards, newest first, by programme, batch, status, holder or last four characters.
/// Refusals: invalid_request (limit, cursor, status).
/// </summary>
internal static class ListGiftCards
{
    public static IEndpointRouteBuilder MapListGiftCards(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(ListGiftCards))
            .Produces<Page<CardView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] Query query,
        CardReader cards,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        new FieldChecks()
            .Require(query.Status is null || CardStatus.All.Contains(query.Status), "status", "invalid")
            .Text(query.Last4, "last4", CardCode.MaxInputLength)
            .Text(query.Reference, "reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();

        var filters =
            $"gift_cards|{query.ProgramId}|{query.Status}|{query.CustomerId}|{query.BatchId}"
            + $"|{query.Last4}|{query.Reference}";
        var take = CursorCodec.Limit(query.Limit);
        var after = cursors.Read(query.Cursor, merchant, filters);
        var rows = await database.SearchAsync<CardRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                ProgramId = query.ProgramId,
                query.Status,
                CustomerId = query.CustomerId,
                BatchId = query.BatchId,
                Last4 = query.Last4 is null ? null : CardCode.Normalise(query.Last4),
                Now = time.GetUtcNow(),
                query.Reference,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        var page = Page<CardRow>.Of(
            rows,
            take,
            c => cursors.Write(new(c.CreatedAt, c.GiftCardId.Value), merchant, filters)
        );
        return Answer.Ok(new Page<CardView>(await cards.ViewAsync(page.Data, cancel), page.NextCursor, page.HasMore));
    }

    internal sealed record Query
    {
        [Microsoft.AspNetCore.Mvc.FromQuery(Name = "program_id")]
        public ProgramId? ProgramId { get; init; }

        public string? Status { get; init; }

        [Microsoft.AspNetCore.Mvc.FromQuery(Name = "customer_id")]
        public CustomerId? CustomerId { get; init; }

        [Microsoft.AspNetCore.Mvc.FromQuery(Name = "batch_id")]
        public JobId? BatchId { get; init; }

        public string? Last4 { get; init; }

        public string? Reference { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }
    }

    private static class Sql
    {
        public const string List = $"""
            {CardRow.Columns}
             WHERE c.merchant_id = @MerchantId
               AND (@ProgramId::uuid IS NULL OR c.program_id = @ProgramId)
               AND (@Status::text IS NULL
                    OR @Status = CASE WHEN c.status IN ('active', 'blocked') AND c.expires_at <= @Now THEN 'expired'
                                      ELSE c.status END)
               AND (@CustomerId::uuid IS NULL OR c.customer_id = @CustomerId)
               AND (@BatchId::uuid IS NULL OR c.batch_id = @BatchId)
               AND (@Last4::text IS NULL OR c.last4 = @Last4)
               AND (@Reference::text IS NULL OR c.reference = @Reference)
               AND (c.created_at, c.gift_card_id) < (@CreatedAt, @Id)
             ORDER BY c.created_at DESC, c.gift_card_id DESC
             LIMIT @Take
            """;
    }
}
