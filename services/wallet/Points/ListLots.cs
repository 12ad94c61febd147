using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// GET /v1/members/{id}/lots: points by origin and expiry, the newest first; also those that are spent. Refusals:
/// not_found, invalid_request (limit, cursor).
/// </summary>
internal static class ListLots
{
    internal sealed record LotView(
        LotId Id,
        string Source,
        EarningId? EarningId,
        LotId? ParentLotId,
        long Points,
        long Remaining,
        Money Value,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset CreatedAt
    );

    public static IEndpointRouteBuilder MapListLots(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members/{id}/lots", HandleAsync)
            .RequireScope("members:read")
            .WorksAcrossMerchants()
            .WithName("ListMemberLots")
            .Produces<Page<LotView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        MemberId id,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant();
        var filters = $"lots|{id}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        await using var db = await database.BeginAsync(cancel);
        var (_, program) = await MemberStore.GetAsync(db, merchant, id, time.GetUtcNow());
        var currency = Currency.Parse(program.Currency);
        var rows = await db.QueryAsync<Lot>(
            Sql.List,
            new
            {
                MemberId = id,
                after.Id,
                Take = take + 1,
            }
        );
        return Answer.Ok(
            Page<LotView>.Of(
                [
                    .. rows.Select(lot => new LotView(
                        lot.LotId,
                        lot.Source,
                        lot.EarningId,
                        lot.ParentLotId,
                        lot.Points,
                        lot.Remaining,
                        new(lot.Value, currency),
                        lot.ExpiresAt,
                        lot.CreatedAt
                    )),
                ],
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = """
            SELECT lot_id, source, earning_id, parent_lot_id, points, remaining, value, funded, funded_by, expires_at,
                   created_at
              FROM member_lots
             WHERE member_id = @MemberId
               AND lot_id < @Id
             ORDER BY lot_id DESC
             LIMIT @Take
            """;
    }
}
