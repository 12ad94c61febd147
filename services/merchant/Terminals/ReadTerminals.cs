using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Terminals;

/// <summary>
/// GET /v1/locations/{id}/terminals: the tills of a place, newest first; and one of them at its own address. Refusals:
/// invalid_request, not_found.
/// </summary>
internal static class ReadTerminals
{
    public static IEndpointRouteBuilder MapReadTerminals(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/locations/{id}/terminals", ListAsync)
            .RequireScope("locations:read")
            .WithName("ListTerminals")
            .Produces<Page<TerminalView>>();
        group
            .MapGet("/locations/{id}/terminals/{terminalId}", GetAsync)
            .RequireScope("locations:read")
            .WithName("GetTerminal")
            .Produces<TerminalView>();
        return group;
    }

    private static async Task<IResult> ListAsync(
        HttpContext http,
        LocationId id,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var (size, filters) = (CursorCodec.Limit(limit), $"terminals|{id}");
        var after = cursors.Read(cursor, merchant, filters);
        var rows = await database.QueryAsync<TerminalRow>(
            Sql.List,
            new
            {
                LocationId = id,
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<TerminalView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), merchant, filters)
            )
        );
    }

    private static async Task<IResult> GetAsync(
        HttpContext http,
        LocationId id,
        TerminalId terminalId,
        Database database,
        CancellationToken cancel
    )
    {
        var args = new
        {
            LocationId = id,
            TerminalId = terminalId,
            http.GetMerchant().MerchantId,
        };
        return await database.QuerySingleOrDefaultAsync<TerminalRow>(Sql.Get, args, cancel) is { } row
            ? Answer.Ok(row.ToView())
            : throw new FaultException(CommonFaults.NotFound, "There is no such terminal.");
    }

    private static class Sql
    {
        public const string Get = $"""
            SELECT {TerminalRow.Fields}
              FROM terminals t
             WHERE t.terminal_id = @TerminalId
               AND t.location_id = @LocationId
               AND t.merchant_id = @MerchantId
            """;

        public const string List = $"""
            SELECT {TerminalRow.Fields}
              FROM terminals t
             WHERE t.location_id = @LocationId
               AND t.merchant_id = @MerchantId
               AND (t.created_at, t.terminal_id) < (@CreatedAt, @Id)
             ORDER BY t.created_at DESC, t.terminal_id DESC
             LIMIT @Limit
            """;
    }
}
