using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Terminals;

/// <summary>
/// GET /internal/terminals/{id}?merchant_id=, for giftcard before a till pays: where it stands and whether it is
/// blocked. Refusals: no_such_object.
/// </summary>
internal static class FindTerminal
{
    internal sealed record Response(LocationId LocationId, bool Blocked);

    public static IEndpointRouteBuilder MapFindTerminal(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/terminals/{id}", HandleAsync)
            .CalledBy("giftcard")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(FindTerminal))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(
        TerminalId id,
        [FromQuery(Name = "merchant_id")] MerchantId merchantId,
        Database database,
        CancellationToken cancel
    ) =>
        await database.QuerySingleOrDefaultAsync<Response>(
            Sql.Find,
            new { TerminalId = id, MerchantId = merchantId },
            cancel
        )
            is { } terminal
            ? Answer.Ok(terminal)
            : throw new FaultException(CommonFaults.NoSuchObject, "There is no such terminal.");

    private static class Sql
    {
        public const string Find = """
            SELECT location_id, blocked_at IS NOT NULL AS blocked
              FROM terminals
             WHERE terminal_id = @TerminalId
               AND merchant_id = @MerchantId
            """;
    }
}
