using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>An allowance as lists show it; its token is in the answer that made it and nowhere else.</summary>
/// <param name="Accepted">What its items took on themselves so far.</param>
/// <param name="Items">How many have come.</param>
internal sealed record AllowanceView(
    OfflineAllowanceId Id,
    string Object,
    TerminalId TerminalId,
    LocationId? LocationId,
    Money CardCap,
    Money TotalCap,
    Money Accepted,
    int Items,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt
);

/// <summary>A row of offline_allowances.</summary>
internal sealed record ListedAllowance(
    OfflineAllowanceId AllowanceId,
    TerminalId TerminalId,
    LocationId? LocationId,
    string Currency,
    long CardCap,
    long TotalCap,
    long Accepted,
    int LastCounter,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt
)
{
    public const string Fields = """
        a.allowance_id, a.terminal_id, a.location_id, a.currency, a.card_cap, a.total_cap, a.accepted,
               a.last_counter, a.created_at, a.expires_at, a.revoked_at
        """;

    public AllowanceView ToView()
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            AllowanceId,
            "offline_allowance",
            TerminalId,
            LocationId,
            new(CardCap, currency),
            new(TotalCap, currency),
            new(Accepted, currency),
            LastCounter,
            CreatedAt,
            ExpiresAt,
            RevokedAt
        );
    }
}

/// <summary>
/// GET /v1/terminals/{id}/offline_allowances: what a till was allowed and what became of it, newest first; and POST
/// …/{allowance_id}/revoke: what the till sells after that, by its own clock, is refused when it is handed in, what
/// it sold before is taken. Repeating it is harmless. Refusals: invalid_request, not_found.
/// </summary>
internal static class ReadAllowances
{
    public static IEndpointRouteBuilder MapReadAllowances(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/terminals/{id}/offline_allowances", HandleAsync)
            .RequireScope("redemptions:read")
            .WithName("ListAllowances")
            .Produces<Page<AllowanceView>>();
        group
            .MapPost("/terminals/{id}/offline_allowances/{allowanceId}/revoke", RevokeAsync)
            .RequireScope("redemptions:write")
            .OpenTo(MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .WithName("RevokeAllowance")
            .Produces<AllowanceView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        TerminalId id,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var (size, filters) = (CursorCodec.Limit(limit), $"offline_allowances|{id}");
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<ListedAllowance>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                TerminalId = id,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<AllowanceView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, filters)
            )
        );
    }

    private static Task<IResult> RevokeAsync(
        HttpContext http,
        TerminalId id,
        OfflineAllowanceId allowanceId,
        IdempotentRequests requests,
        CancellationToken cancel
    ) =>
        requests.ExecuteAsync(
            http,
            new { },
            async db =>
                await db.QuerySingleOrDefaultAsync<ListedAllowance>(
                    Sql.Revoke,
                    new
                    {
                        AllowanceId = allowanceId,
                        TerminalId = id,
                        http.GetMerchant().MerchantId,
                        db.Now,
                    }
                )
                    is { } row
                    ? Answer.Ok(row.ToView())
                    : throw new FaultException(CommonFaults.NotFound, "There is no such allowance."),
            cancel
        );

    private static class Sql
    {
        public const string List = $"""
            SELECT {ListedAllowance.Fields}
              FROM offline_allowances a
             WHERE a.merchant_id = @MerchantId
               AND a.terminal_id = @TerminalId
               AND (a.created_at, a.allowance_id) < (@CreatedAt, @Id)
             ORDER BY a.created_at DESC, a.allowance_id DESC
             LIMIT @Limit
            """;

        public const string Revoke = $"""
            UPDATE offline_allowances a
               SET revoked_at = coalesce(a.revoked_at, @Now)
             WHERE a.allowance_id = @AllowanceId
               AND a.terminal_id = @TerminalId
               AND a.merchant_id = @MerchantId
            RETURNING {ListedAllowance.Fields}
            """;
    }
}
