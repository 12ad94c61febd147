using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Entries;
using LocalPlus.Ledger.Holds;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Transactions;
using Caller = LocalPlus.Ledger.Books.Caller;

namespace LocalPlus.Ledger.Grpc;

/// <summary>The ledger for other services: the same operations and codes as over REST.</summary>
internal sealed class LedgerGrpc(CommandQueue queue, FingerprintKeys fingerprints, Database database, TimeProvider time)
    : LedgerService.LedgerServiceBase
{
    public override Task<PostTransactionResponse> PostTransaction(
        PostTransactionRequest request,
        ServerCallContext context
    ) =>
        RunAsync(
            request,
            () => Requests.Read(request),
            request.IdempotencyKey,
            PostTransactionResponse.Parser,
            context
        );

    public override Task<PostTransactionResponse> ReverseTransaction(
        ReverseTransactionRequest request,
        ServerCallContext context
    ) =>
        RunAsync(
            request,
            () => Requests.Read(request),
            request.IdempotencyKey,
            PostTransactionResponse.Parser,
            context
        );

    public override Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context) =>
        RunAsync(request, () => Requests.Read(request), request.IdempotencyKey, HoldResponse.Parser, context);

    public override Task<HoldResponse> CaptureHold(CaptureHoldRequest request, ServerCallContext context) =>
        RunAsync(request, () => Requests.Read(request), request.IdempotencyKey, HoldResponse.Parser, context);

    public override Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context) =>
        RunAsync(request, () => Requests.Read(request), request.IdempotencyKey, HoldResponse.Parser, context);

    public override Task<HoldResponse> ExtendHold(ExtendHoldRequest request, ServerCallContext context) =>
        RunAsync(request, () => Requests.Read(request), request.IdempotencyKey, HoldResponse.Parser, context);

    public override Task<SpendResponse> Spend(SpendRequest request, ServerCallContext context) =>
        RunAsync(request, () => Requests.Read(request), request.IdempotencyKey, SpendResponse.Parser, context);

    public override Task<ExecuteBatchResponse> ExecuteBatch(ExecuteBatchRequest request, ServerCallContext context) =>
        GuardAsync(async () =>
        {
            if (request.Operations.Count is 0 or > LedgerLimits.OperationsPerCall)
            {
                throw Input.Invalid("operations", $"has 1 to {LedgerLimits.OperationsPerCall} items");
            }

            var caller = Callers.Of(context);
            var response = new ExecuteBatchResponse();
            response.Outcomes.AddRange(
                await Task.WhenAll(
                    request.Operations.Select(operation => OutcomeAsync(operation, caller, context.CancellationToken))
                )
            );
            await Failpoints.CommittedAsync(ExecuteBatchRequest.Descriptor.Name);
            return response;
        });

    public override Task<HoldResponse> GetHold(GetHoldRequest request, ServerCallContext context) =>
        GuardAsync(async () =>
        {
            var merchant = Requests.Merchant(request.MerchantId);
            var hold =
                request.HoldId.Length > 0
                    ? await HoldReader.FindAsync(
                        database,
                        merchant,
                        Requests.Id<HoldId>(request.HoldId, "hold_id"),
                        context.CancellationToken
                    )
                    : await HoldReader.FindAsync(
                        database,
                        merchant,
                        Requests.Reference(request.Reference),
                        context.CancellationToken
                    );
            return Messages.Response(hold, null);
        });

    public override Task<TransactionResponse> GetTransaction(
        GetTransactionRequest request,
        ServerCallContext context
    ) =>
        GuardAsync(async () =>
            Messages.Response(
                Requests.Merchant(request.MerchantId),
                await TransactionReader.FindAsync(
                    database,
                    Requests.Merchant(request.MerchantId),
                    request.TransactionId.Length > 0
                        ? Requests.Id<TransactionId>(request.TransactionId, "transaction_id")
                        : null,
                    request.TransactionId.Length > 0 ? null : Requests.Reference(request.Reference),
                    context.CancellationToken
                )
            )
        );

    public override Task<OpenAccountsResponse> OpenAccounts(OpenAccountsRequest request, ServerCallContext context) =>
        GuardAsync(async () =>
        {
            var (merchant, wanted) = (Requests.Merchant(request.MerchantId), Requests.Read(request, time));
            var caller = Callers.Of(context);
            await using var db = await database.BeginAsync(context.CancellationToken);
            var response = new OpenAccountsResponse();
            response.Accounts.AddRange(
                (await AccountOpening.OpenAsync(db, merchant, wanted, caller, time.GetUtcNow())).Select(
                    Messages.Account
                )
            );
            await db.CommitAsync();
            await Failpoints.CommittedAsync(nameof(OpenAccountsRequest));
            return response;
        });

    public override Task<GetAccountsResponse> GetAccounts(GetAccountsRequest request, ServerCallContext context) =>
        GuardAsync(async () =>
        {
            if (request.AccountIds.Count is 0 or > LedgerLimits.AccountsPerRequest)
            {
                throw Input.Invalid("account_ids", $"has 1 to {LedgerLimits.AccountsPerRequest} items");
            }

            var ids = request.AccountIds.Select(id => Requests.Id<AccountId>(id, "account_ids")).ToArray();
            var response = new GetAccountsResponse();
            response.Accounts.AddRange(
                (
                    await AccountReader.FindAllAsync(
                        database,
                        Requests.Merchant(request.MerchantId),
                        ids,
                        context.CancellationToken
                    )
                ).Select(Messages.Account)
            );
            return response;
        });

    public override async Task StreamEntries(
        StreamEntriesRequest request,
        IServerStreamWriter<Entry> responseStream,
        ServerCallContext context
    )
    {
        try
        {
            var account = Requests.Id<AccountId>(request.AccountId, "account_id");
            if (request.Stripe is < 0 or > LedgerLimits.Stripes)
            {
                throw Input.Invalid("stripe", $"is 0 to {LedgerLimits.Stripes}");
            }

            await AccountReader.FindAsync(
                database,
                Requests.Merchant(request.MerchantId),
                account,
                context.CancellationToken
            );
            var entries = EntryReader.AfterAsync(
                database,
                account,
                (short)request.Stripe,
                request.AfterSequence,
                context.CancellationToken
            );
            await foreach (var row in entries)
            {
                await responseStream.WriteAsync(Messages.Entry(row), context.CancellationToken);
            }
        }
        catch (Exception exception)
            when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            throw exception.ToRpcException();
        }
    }

    private Task<TResponse> RunAsync<TResponse>(
        IMessage request,
        Func<Operations.Operation> read,
        string key,
        MessageParser<TResponse> parser,
        ServerCallContext context
    )
        where TResponse : IMessage<TResponse> =>
        GuardAsync(async () =>
        {
            var answer = await AnswerAsync(new(request, key, read), Callers.Of(context), context.CancellationToken);
            await Failpoints.CommittedAsync(request.Descriptor.Name);
            return GrpcDoor.Read(answer, parser);
        });

    private Task<Answer> AnswerAsync(Batches.Asked asked, Caller caller, CancellationToken cancel)
    {
        var operation = asked.Read() with { Caller = caller };
        var command = new Command(operation, GrpcDoor.Instance, Requests.Key(asked.Key), FingerprintOf(asked.Request));
        return queue.RunAsync(command, cancel);
    }

    /// <summary>Whatever is wrong with one operation is said to its caller alone.</summary>
    private async Task<Outcome> OutcomeAsync(
        Contracts.Ledger.V1.Operation operation,
        Caller caller,
        CancellationToken cancel
    )
    {
        try
        {
            return Batches.Outcome(operation, await AnswerAsync(Batches.Read(operation), caller, cancel));
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return Batches.Refusal(exception);
        }
    }

    /// <summary>Of the message with maps in order: other languages write them as it comes.</summary>
    private Fingerprint FingerprintOf(IMessage request)
    {
        var bytes = new byte[request.CalculateSize()];
        using var output = new CodedOutputStream(bytes) { Deterministic = true };
        request.WriteTo(output);
        output.CheckNoSpaceLeft();
        return fingerprints.Of(request.Descriptor.FullName, bytes);
    }

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
}
