using System.ComponentModel.DataAnnotations;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Entries;

/// <summary>
/// GET /v1/accounts/{id}/balance: posted, held and available now; with as_of what counted at that (effective) time,
/// with known_at only what was recorded by that time. Together: the balance of a day as the books of another day had
/// it.
/// </summary>
internal static class GetBalance
{
    public static IEndpointRouteBuilder MapGetBalance(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/{id}/balance", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetBalance))
            .Produces<Balance>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        AccountId id,
        Instant? as_of,
        Instant? known_at,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var row = await AccountReader.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        if (as_of is null && known_at is null)
        {
            return Answer.Ok(
                new Balance(id, "balance", row.Asset, row.Posted, row.Held, row.Posted - row.Held),
                row.Revision
            );
        }

        var args = new
        {
            id,
            AsOf = Reach(as_of),
            KnownAt = Reach(known_at),
        };
        var posted = await database.QuerySingleOrDefaultAsync<long>(Sql.At, args, cancel);
        return Answer.Ok(new Balance(id, "balance", row.Asset, posted, AsOf: as_of?.Value, KnownAt: known_at?.Value));
    }

    private static DateTimeOffset Reach(Instant? instant) =>
        Period.Whole(Period.Clamp(instant?.Value ?? DateTimeOffset.MaxValue));

    private sealed record Balance(
        AccountId AccountId,
        string Object,
        [property: RegularExpression(AccountToOpen.AssetPattern)] string Asset,
        long Posted,
        long? Held = null,
        long? Available = null,
        DateTimeOffset? AsOf = null,
        DateTimeOffset? KnownAt = null
    );

    private static class Sql
    {
        public const string At = "SELECT posted_at(@Id, @AsOf, @KnownAt)";
    }
}
