using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Rest;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// POST /v1/transactions/earn and /burn: points given to and taken from a member's account, with what they are worth in
/// money in the same transaction. Earn: points_pool to the member, and merchant:points_expense to
/// merchant:points_liability. Burn: back to the pool, and merchant:points_liability to merchant:points_payable. The
/// merchant's side is opened when it is first needed. Points and their value are reversed together.
/// </summary>
internal static class EarnAndBurn
{
    private const string Pool = "points_pool";
    private const string Expense = "merchant:points_expense";
    private const string Liability = "merchant:points_liability";
    private const string Payable = "merchant:points_payable";

    public static IEndpointRouteBuilder MapEarnAndBurn(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/transactions/earn", HandleEarnAsync)
            .RequireScope("ledger:write")
            .WithName("Earn")
            .Produces<TransactionView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfPostings);
        group
            .MapPost("/transactions/burn", HandleBurnAsync)
            .RequireScope("ledger:write")
            .WithName("Burn")
            .Produces<TransactionView>(StatusCodes.Status201Created)
            .RequireIdempotencyKey(exceptDryRuns: true)
            .Refuses(Faults.OfPostings);
        return group;
    }

    private static Task<IResult> HandleEarnAsync(
        Request request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    ) => RunAsync("earn", request, dry_run, http, queue, new MerchantSide(database, time, Expense, Liability), cancel);

    private static Task<IResult> HandleBurnAsync(
        Request request,
        bool? dry_run,
        HttpContext http,
        CommandQueue queue,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    ) => RunAsync("burn", request, dry_run, http, queue, new MerchantSide(database, time, Liability, Payable), cancel);

    private static async Task<IResult> RunAsync(
        string kind,
        Request request,
        bool? dryRun,
        HttpContext http,
        CommandQueue queue,
        MerchantSide side,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var points = Input.Amount(request.Points, "points");
        var member = await AccountReader.FindAsync(side.Database, merchant, request.AccountId, cancel);
        if (!member.Asset.StartsWith("PTS:", StringComparison.Ordinal))
        {
            throw Input.Invalid("account_id", "is not an account of points");
        }

        var accounts = await side.OpenAsync(merchant, member.Asset, request.Value?.Currency, cancel);
        List<Posting> postings =
        [
            kind == "earn"
                ? new(accounts.Pool, member.AccountId, points)
                : new(member.AccountId, accounts.Pool, points),
        ];
        if (request.Value is { } value)
        {
            postings.Add(
                new Posting(accounts.From!.Value, accounts.To!.Value, Input.Amount(value.MinorUnits, "value/amount"))
            );
        }

        var header = new Header(
            Input.Reference(request.Reference),
            kind,
            Metadata.Check(request.Metadata),
            Input.Instant(request.EffectiveAt, "effective_at")
        );
        return await queue.RunAsync(
            http,
            request,
            new Operations.PostTransaction(merchant, header, postings),
            dryRun is true,
            cancel
        );
    }

    /// <param name="Value">What the points are worth; absent: the books carry points only.</param>
    internal sealed record Request(
        AccountId AccountId,
        long Points,
        Money? Value = null,
        string? Reference = null,
        DateTimeOffset? EffectiveAt = null,
        SortedDictionary<string, string>? Metadata = null
    );

    /// <summary>
    /// The merchant's own accounts of the operation; striped, for every member's points pass through them.
    /// </summary>
    private sealed record MerchantSide(Database Database, TimeProvider Time, string From, string To)
    {
        public async Task<(AccountId Pool, AccountId? From, AccountId? To)> OpenAsync(
            MerchantId merchant,
            string points,
            Currency? currency,
            CancellationToken cancel
        )
        {
            List<AccountToOpen> wanted = [Hot(Pool, points)];
            if (currency is { } money)
            {
                wanted.AddRange([Hot(From, money.Code), Hot(To, money.Code)]);
            }

            await using var db = await Database.BeginAsync(cancel);
            var rows = await AccountOpening.OpenAsync(db, merchant, wanted, Caller.Merchant, Time.GetUtcNow());
            await db.CommitAsync();
            return (
                rows[0].AccountId,
                currency is null ? null : rows[1].AccountId,
                currency is null ? null : rows[2].AccountId
            );
        }

        private AccountToOpen Hot(string name, string asset) =>
            new(AccountId.New(Time), name, asset, null, null, Striped: true);
    }
}
