using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Earnings;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Points;

/// <summary>
/// GET /v1/members/{id}/history: why the points moved, the newest first. Every movement names its purchase, the rules
/// with their versions, the lots, and the ledger's transaction once it is booked. Refusals: not_found, invalid_request
/// (limit, cursor).
/// </summary>
internal static class ListHistory
{
    /// <param name="Points">Change of what may be spent.</param>
    /// <param name="Owed">Change of what is owed.</param>
    /// <param name="Held">Change of what redemptions hold.</param>
    /// <param name="RedemptionId">The redemption that it was held, spent or given back for.</param>
    internal sealed record MovementView(
        MovementId Id,
        string Kind,
        long Points,
        long Pending,
        long Owed,
        long Held,
        EarningId? EarningId,
        string? PurchaseReference,
        RedemptionId? RedemptionId,
        MemberId? CounterpartId,
        IReadOnlyList<AwardView> Awards,
        IReadOnlyList<MovedLot> Lots,
        string? Reason,
        TransactionId? TransactionId,
        DateTimeOffset EffectiveAt,
        DateTimeOffset RecordedAt
    );

    internal sealed record MovedLot(LotId LotId, long Points);

    public static IEndpointRouteBuilder MapListHistory(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/members/{id}/history", HandleAsync)
            .RequireScope("members:read")
            .WorksAcrossMerchants()
            .WithName("ListMemberHistory")
            .Produces<Page<MovementView>>();
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
        var filters = $"history|{id}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        await using var db = await database.BeginAsync(cancel);
        await MemberStore.GetAsync(db, merchant, id, time.GetUtcNow());
        var rows = await db.QueryAsync<MovementRow>(
            Sql.List,
            new
            {
                MemberId = id,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            }
        );
        return Answer.Ok(
            Page<MovementView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                last => cursors.Write(new(last.RecordedAt, last.Id.Value), merchant.MerchantId, filters)
            )
        );
    }

    private sealed record MovementRow(
        MovementId MovementId,
        string Kind,
        long Points,
        long Pending,
        long Owed,
        long Held,
        EarningId? EarningId,
        string? Reference,
        RedemptionId? RedemptionId,
        MemberId? CounterpartId,
        string? Awards,
        string? Lots,
        string? Reason,
        TransactionId? TransactionId,
        DateTimeOffset EffectiveAt,
        DateTimeOffset RecordedAt
    )
    {
        public MovementView ToView() =>
            new(
                MovementId,
                Kind,
                Points,
                Pending,
                Owed,
                Held,
                EarningId,
                Reference,
                RedemptionId,
                CounterpartId,
                Awards is null ? [] : [.. StoredJson.Read<StoredAward[]>(Awards).Select(AwardView.Of)],
                [
                    .. StoredJson
                        .Read<LotJson[]>(Lots ?? "[]")
                        .Select(lot => new MovedLot(LotId.From(lot.Lot), lot.Points)),
                ],
                Reason,
                TransactionId,
                EffectiveAt,
                RecordedAt
            );
    }

    /// <summary>As PostgreSQL writes it: the id is a uuid.</summary>
    private sealed class LotJson
    {
        public required Guid Lot { get; init; }

        public required long Points { get; init; }
    }

    private static class Sql
    {
        public const string List = """
            SELECT m.movement_id, m.kind, m.points, m.pending, m.owed, m.held, m.earning_id, e.reference,
                   m.redemption_id, m.counterpart_id, m.awards::text AS awards,
                   (SELECT json_agg(json_build_object('lot', l.lot_id, 'points', l.points) ORDER BY l.lot_id)::text
                      FROM movement_lots l
                     WHERE l.movement_id = m.movement_id) AS lots,
                   m.reason, c.transaction_id, m.effective_at, m.recorded_at
              FROM member_movements m
              LEFT JOIN earnings e
                ON e.earning_id = m.earning_id
              LEFT JOIN ledger_commands c
                ON c.movement_id = m.movement_id
             WHERE m.member_id = @MemberId
               AND (m.recorded_at, m.movement_id) < (@CreatedAt, @Id)
             ORDER BY m.recorded_at DESC, m.movement_id DESC
             LIMIT @Take
            """;
    }
}
