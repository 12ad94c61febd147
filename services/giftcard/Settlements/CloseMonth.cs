using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>
/// POST /v1/reports/settlement/statements: closes a UTC month that is over, and those before it that are still open,
/// between the caller as issuer and every other merchant of its coalitions. Each gets a statement that never changes:
/// it opens with what the one before closed with, and closes with the balance of the ledger's account payable:mrc_… at
/// the end of the month. A month that is closed is answered with the statements that it has. Refusals:
/// invalid_request (no month, not over for an hour).
/// </summary>
internal static class CloseMonth
{
    /// <summary>What was decided in the last second of a month is written down long before that.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    public static IEndpointRouteBuilder MapCloseMonth(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/reports/settlement/statements", HandleAsync)
            .RequireScope("programs:write")
            .RequireIdempotencyKey()
            .WithName(nameof(CloseMonth))
            .Produces<StatementList>(StatusCodes.Status201Created);
        return group;
    }

    /// <param name="Month">As "2026-03".</param>
    internal sealed record Request(string Month);

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        var month = Month.Parse(request.Month);
        new FieldChecks()
            .Require(month is not null, "/month", "invalid")
            .Require(month is null || Month.Begins(month.Value.AddMonths(1)) + Grace <= now, "/month", "not_over")
            .ThrowIfAny();
        var issuer = http.GetMerchant().MerchantId;
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                await MonthCloser.CloseUntilAsync(db, issuer, month!.Value, now);
                var rows = await db.QueryAsync<StatementRow>(
                    Sql.OfMonth,
                    new { IssuerId = issuer, Month = month.Value }
                );
                return Answer.Created(
                    $"/v1/reports/settlement/statements?month={request.Month}",
                    new StatementList([.. rows.Select(r => r.ToView(issuer))])
                );
            },
            cancel
        );
    }

    private static class Sql
    {
        public const string OfMonth = $"""
            {StatementRow.Columns}
             WHERE issuer_id = @IssuerId
               AND month = @Month
             ORDER BY merchant_id, currency
            """;
    }
}
