using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Notification.Holders;

/// <summary>
/// GET /internal/holders/{id}?merchant_id=&amp;after=, for the wallet when a person asks what is kept: the messages
/// about its cards. A holder that is not known has none.
/// </summary>
internal static class GetHolder
{
    private const int PageSize = 200;

    /// <param name="Next">Where it goes on; absent at its end.</param>
    internal sealed record Response(IReadOnlyList<NotificationView> Data, Guid? Next);

    public static IEndpointRouteBuilder MapGetHolder(this IEndpointRouteBuilder intern)
    {
        intern.MapGet("/holders/{id}", HandleAsync).CalledBy("wallet").WithName(nameof(GetHolder)).Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        CustomerId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        Database database,
        CancellationToken cancel,
        Guid? after = null
    )
    {
        var rows = await database.QueryAsync<NotificationRow>(
            Sql.Messages,
            new
            {
                CustomerId = id,
                MerchantId = merchantId,
                After = after ?? Guid.Empty,
                Take = PageSize + 1,
            },
            cancel
        );
        return Answer.Ok(
            new Response(
                [.. rows.Take(PageSize).Select(row => row.ToView())],
                rows.Count > PageSize ? rows[PageSize - 1].NotificationId.Value : null
            )
        );
    }

    private static class Sql
    {
        // Of the issuer's cards, also what another merchant that took one made.
        public const string Messages = """
            SELECT n.notification_id, n.kind, n.channel, n.state, n.masked_address, n.gift_card_id, n.redemption_id,
                   n.webhook_id, n.attempts - n.deferrals AS attempts, n.last_error, n.created_at, n.due_at, n.sent_at
              FROM card_holders h
              JOIN notifications n ON n.gift_card_id = h.gift_card_id
             WHERE h.customer_id = @CustomerId
               AND h.merchant_id = @MerchantId
               AND n.notification_id > @After
             ORDER BY n.notification_id
             LIMIT @Take
            """;
    }
}
