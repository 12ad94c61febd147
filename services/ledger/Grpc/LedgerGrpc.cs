using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Core;
using OpenAccount = LocalPlus.Contracts.Ledger.V1.OpenAccount;
using Account = LocalPlus.Ledger.Core.Account;
using Wire = LocalPlus.Ledger.Core.Wire;

namespace LocalPlus.Ledger.Grpc;

/// <summary>The ledger for other services: the same commands and codes as over REST, without a JSON body in between.</summary>
internal sealed class LedgerGrpc(CommandQueue queue, Database database, TimeProvider time) : LedgerService.LedgerServiceBase
{
    public override Task<PostTransactionResponse> PostTransaction(PostTransactionRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.PostTransaction(request), PostTransactionResponse.Parser, context);

    public override Task<PostTransactionResponse> ReverseTransaction(ReverseTransactionRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.ReverseTransaction(request), PostTransactionResponse.Parser, context);

    public override Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.PlaceHold(request), HoldResponse.Parser, context);

    public override Task<HoldResponse> CaptureHold(CaptureHoldRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.CaptureHold(request), HoldResponse.Parser, context);

    public override Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.ReleaseHold(request), HoldResponse.Parser, context);

    public override Task<HoldResponse> ExtendHold(ExtendHoldRequest request, ServerCallContext context) =>
        RunAsync(() => new Core.ExtendHold(request), HoldResponse.Parser, context);

    public override Task<HoldResponse> GetHold(GetHoldRequest request, ServerCallContext context) => GuardAsync(async () =>
    {
        var merchant = Wire.Id<MerchantId>(request.MerchantId, "merchant_id");
        var hold = request.HoldId.Length > 0
            ? await HoldReader.FindAsync(database, merchant, Wire.Id<HoldId>(request.HoldId, "hold_id"), context.CancellationToken)
            : await HoldReader.FindAsync(database, merchant, Wire.Reference(request.Reference), context.CancellationToken);
        return Wire.ToResponse(hold, null);
    });

    public override Task<OpenAccountsResponse> OpenAccounts(OpenAccountsRequest request, ServerCallContext context) => GuardAsync(async () =>
    {
        var merchant = Wire.Id<MerchantId>(request.MerchantId, "merchant_id");
        var wanted = Read(request);
        await using var db = await database.BeginAsync(context.CancellationToken);
        var response = new OpenAccountsResponse();
        response.Accounts.AddRange((await AccountOpening.OpenAsync(db, merchant, wanted, time.GetUtcNow())).Select(Wire.ToProto));
        await db.CommitAsync();
        return response;
    });

    public override Task<GetAccountsResponse> GetAccounts(GetAccountsRequest request, ServerCallContext context) => GuardAsync(async () =>
    {
        if (request.AccountIds.Count is 0 or > LedgerLimits.AccountsPerRequest)
        {
            throw Wire.Invalid("account_ids", $"has 1 to {LedgerLimits.AccountsPerRequest} items");
        }

        var merchant = Wire.Id<MerchantId>(request.MerchantId, "merchant_id");
        var ids = request.AccountIds.Select(id => Wire.Id<AccountId>(id, "account_ids")).ToArray();
        var found = (await database.QueryAsync<Account>(Sql.Get, new { merchant, ids }, context.CancellationToken)).ToDictionary(a => a.AccountId);
        var response = new GetAccountsResponse();
        response.Accounts.AddRange(ids.Select(id => found.TryGetValue(id, out var account)
            ? Wire.ToProto(account)
            : throw new FaultException(CommonFaults.NotFound, $"There is no account {new AccountId(id)}.")));
        return response;
    });

    public override async Task StreamEntries(StreamEntriesRequest request, IServerStreamWriter<Entry> responseStream, ServerCallContext context)
    {
        try
        {
            var merchant = new MerchantId(Wire.Id<MerchantId>(request.MerchantId, "merchant_id"));
            var account = new AccountId(Wire.Id<AccountId>(request.AccountId, "account_id"));
            await GetAccount.FindAsync(database, merchant, account, context.CancellationToken);
            var after = request.AfterSequence;
            for (IReadOnlyList<EntryRow>? page = null; page is null || page.Count == LedgerLimits.EntriesPerStreamPage;)
            {
                page = await ListEntries.ReadAsync(database, account, after, LedgerLimits.EntriesPerStreamPage, context.CancellationToken);
                foreach (var row in page)
                {
                    await responseStream.WriteAsync(EntryMessage.Of(row), context.CancellationToken);
                    after = row.Sequence;
                }
            }
        }
        catch (Exception exception) when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            throw exception.ToRpcException();
        }
    }

    private static AccountToOpen[] ReadAll(IEnumerable<OpenAccount> accounts, TimeProvider time) =>
        [.. accounts.Select((account, i) => new AccountToOpen(
            account.AccountId.Length == 0 ? AccountId.New(time).Value : Wire.Id<AccountId>(account.AccountId, $"accounts/{i}/account_id"),
            Wire.Text(account.Name, $"accounts/{i}/name", AccountOpening.NameCharacters),
            AccountOpening.IsAsset(account.Asset) ? account.Asset : throw Wire.Invalid($"accounts/{i}/asset", "is an ISO currency or PTS:programme"),
            account.Policy == AccountPolicy.Unbounded ? "unbounded" : "floor_zero"))];

    private AccountToOpen[] Read(OpenAccountsRequest request) =>
        request.Accounts.Count is > 0 and <= LedgerLimits.AccountsPerRequest
            ? ReadAll(request.Accounts, time)
            : throw Wire.Invalid("accounts", $"has 1 to {LedgerLimits.AccountsPerRequest} items");

    private Task<TResponse> RunAsync<TResponse>(Func<Command> command, MessageParser<TResponse> parser, ServerCallContext context)
        where TResponse : IMessage<TResponse> =>
        GuardAsync(async () => parser.ParseFrom(await queue.RunAsync(command(), context.CancellationToken)));

    private static async Task<T> GuardAsync<T>(Func<Task<T>> operation)
    {
        try
        {
            return await operation();
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw exception.ToRpcException();
        }
    }

    private static class Sql
    {
        public const string Get = """
            SELECT account_id, merchant_id, name, asset, policy, status, posted, held, version
              FROM accounts
             WHERE merchant_id = @Merchant
               AND account_id = ANY(@Ids)
            """;
    }
}
