using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Terminals;

/// <summary>
/// POST /v1/locations/{id}/terminals/{terminal_id}/block and /unblock: a till that was stolen pays nothing any more,
/// everywhere within five seconds, for each replica is told; what it sold offline before can still be handed in.
/// Repeating it is harmless. Refusals: not_found, invalid_request.
/// </summary>
internal static class BlockTerminal
{
    private const int MaxReason = 500;

    internal sealed record Request(string? Reason = null);

    public static IEndpointRouteBuilder MapBlockTerminal(this IEndpointRouteBuilder group)
    {
        Map(group, "block", blocks: true);
        Map(group, "unblock", blocks: false);
        return group;
    }

    private static void Map(IEndpointRouteBuilder group, string verb, bool blocks) =>
        group
            .MapPost(
                $"/locations/{{id}}/terminals/{{terminalId}}/{verb}",
                (
                    HttpContext http,
                    LocationId id,
                    TerminalId terminalId,
                    Request? request,
                    IdempotentRequests idempotent,
                    KeyBroadcast broadcast,
                    CancellationToken cancel
                ) =>
                {
                    request ??= new Request();
                    new FieldChecks().Text(request.Reason, "/reason", MaxReason).ThrowIfAny();
                    return idempotent.ExecuteAsync(
                        http,
                        request,
                        async db =>
                        {
                            var row =
                                await db.QuerySingleOrDefaultAsync<TerminalRow>(
                                    Sql.Change,
                                    new
                                    {
                                        TerminalId = terminalId,
                                        LocationId = id,
                                        http.GetMerchant().MerchantId,
                                        BlockedAt = blocks ? db.Now : (DateTimeOffset?)null,
                                        Reason = blocks ? request.Reason : null,
                                    }
                                ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such terminal.");
                            if (blocks)
                            {
                                broadcast.TellWith(db, KeyNews.Blocked(terminalId, db.Now));
                            }

                            return Answer.Ok(row.ToView());
                        },
                        cancel
                    );
                }
            )
            .RequireScope("locations:write")
            .OpenTo(MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Audit(blocks ? "terminal.block" : "terminal.unblock")
            .WithName($"{(blocks ? "Block" : "Unblock")}Terminal")
            .Produces<TerminalView>();

    private static class Sql
    {
        public const string Change = $"""
            UPDATE terminals t
               SET blocked_at = CASE WHEN @BlockedAt::timestamptz IS NOT NULL THEN coalesce(blocked_at, @BlockedAt) END,
                   block_reason = @Reason
             WHERE t.terminal_id = @TerminalId
               AND t.location_id = @LocationId
               AND t.merchant_id = @MerchantId
            RETURNING {TerminalRow.Fields}
            """;
    }
}
