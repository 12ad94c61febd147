using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>
/// PATCH /v1/accounts/{id} with If-Match: freezes, opens or closes it, or moves its floor or ceiling. 409
/// account_not_empty when closing what still has value, account_closed when it is closed already, 422 limit_exceeded
/// for a floor or ceiling that the balance does not keep, 403 owned_by_service for an account that a service opened. A
/// striped account's version counts postings too; it has no limits to change.
/// </summary>
internal static class ChangeAccount
{
    public static IEndpointRouteBuilder MapChangeAccount(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/accounts/{id}", HandleAsync)
            .RequireScope("ledger:write")
            .WithName(nameof(ChangeAccount))
            .Produces<AccountView>()
            .RequireIdempotencyKey()
            .RequireIfMatch()
            .Refuses(Faults.OwnedByService, Faults.AccountClosed, Faults.AccountNotEmpty, Faults.LimitExceeded);
        return group;
    }

    private static Task<IResult> HandleAsync(
        AccountId id,
        Request request,
        HttpContext http,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var (merchant, version) = (http.GetMerchant().MerchantId, http.RequireIfMatch());
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                // All stripes first, then the account, as the writers do: whoever posts to it has finished when this
                // goes on.
                await db.QueryAsync<short>(Sql.LockStripes, new { id });
                await db.QueryAsync<AccountId>(Sql.Lock, new { id, merchant });
                var row =
                    await db.QuerySingleOrDefaultAsync<AccountRow>(Sql.Find, new { id, merchant })
                    ?? throw new FaultException(CommonFaults.NotFound, $"There is no account {id}.");
                Books.Caller.Merchant.RequireMayChange(row.AccountId, row.Owner);
                if (row.Revision != version)
                {
                    throw new FaultException(
                        CommonFaults.VersionConflict,
                        $"The account is at version {row.Revision}."
                    );
                }

                var (floor, ceiling) = (request.Floor ?? row.Floor, request.Ceiling ?? row.Ceiling);
                Check(row, request, floor, ceiling);
                await db.ExecuteAsync(
                    Sql.Change,
                    new
                    {
                        id,
                        Status = Name(request.Status) ?? row.Status,
                        floor,
                        ceiling,
                        Now = Now(time),
                    }
                );
                var changed = (await db.QuerySingleOrDefaultAsync<AccountRow>(Sql.Find, new { id, merchant }))!;
                return Answer.Ok(AccountView.Of(changed), changed.Revision);
            },
            cancel
        );
    }

    /// <summary>In the API's precision, as every time of the books.</summary>
    private static DateTimeOffset Now(TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
    }

    private static void Check(AccountRow row, Request request, long? floor, long? ceiling)
    {
        new AccountToOpen(row.AccountId, row.Name, row.Asset, floor, ceiling, row.Striped).Check("");
        if (row.Status == "closed")
        {
            throw new FaultException(Faults.AccountClosed, "A closed account does not change.");
        }

        if (request.Status == Books.AccountStatus.Closed && (row.Posted != 0 || row.Held != 0))
        {
            throw new FaultException(Faults.AccountNotEmpty, $"{row.Posted} posted, {row.Held} held.");
        }

        if (row.Posted - row.Held < floor || row.Posted > ceiling)
        {
            throw new FaultException(Faults.LimitExceeded, $"The account has {row.Posted} posted and {row.Held} held.");
        }
    }

    private static string? Name(Books.AccountStatus? status) =>
        status switch
        {
            null => null,
            Books.AccountStatus.Open => "open",
            Books.AccountStatus.Frozen => "frozen",
            _ => "closed",
        };

    internal sealed record Request(Books.AccountStatus? Status = null, long? Floor = null, long? Ceiling = null);

    private static class Sql
    {
        public const string LockStripes =
            "SELECT stripe FROM account_stripes WHERE account_id = @Id ORDER BY stripe FOR NO KEY UPDATE";

        public const string Lock =
            "SELECT account_id FROM accounts WHERE account_id = @Id AND merchant_id = @Merchant FOR NO KEY UPDATE";

        public const string Find = $"""
            SELECT {AccountRow.Columns}
              FROM {AccountRow.Source}
             WHERE a.account_id = @Id
               AND a.merchant_id = @Merchant
            """;

        public const string Change = """
            UPDATE accounts
               SET status = @Status, floor = @Floor, ceiling = @Ceiling, revision = revision + 1,
                   changed_at = GREATEST(changed_at, @Now)
             WHERE account_id = @Id
            """;
    }
}
