using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Ledger;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Passes giftcard's calls on to a ledger that runs, as the two sidecars between them do.</summary>
internal sealed class LedgerBehind(LedgerFixture ledger) : LedgerService.LedgerServiceBase
{
    public override Task<OpenAccountsResponse> OpenAccounts(OpenAccountsRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.OpenAccountsAsync, request, context);

    public override Task<GetAccountsResponse> GetAccounts(GetAccountsRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.GetAccountsAsync, request, context);

    public override Task<PostTransactionResponse> PostTransaction(
        PostTransactionRequest request,
        ServerCallContext context
    ) => PassAsync(ledger.Client.PostTransactionAsync, request, context);

    public override Task<PostTransactionResponse> ReverseTransaction(
        ReverseTransactionRequest request,
        ServerCallContext context
    ) => PassAsync(ledger.Client.ReverseTransactionAsync, request, context);

    public override Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.PlaceHoldAsync, request, context);

    public override Task<HoldResponse> CaptureHold(CaptureHoldRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.CaptureHoldAsync, request, context);

    public override Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.ReleaseHoldAsync, request, context);

    public override Task<HoldResponse> ExtendHold(ExtendHoldRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.ExtendHoldAsync, request, context);

    public override Task<HoldResponse> GetHold(GetHoldRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.GetHoldAsync, request, context);

    public override Task<TransactionResponse> GetTransaction(
        GetTransactionRequest request,
        ServerCallContext context
    ) => PassAsync(ledger.Client.GetTransactionAsync, request, context);

    public override Task<ExecuteBatchResponse> ExecuteBatch(ExecuteBatchRequest request, ServerCallContext context) =>
        PassAsync(ledger.Client.ExecuteBatchAsync, request, context);

    private static async Task<TResponse> PassAsync<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call,
        TRequest request,
        ServerCallContext context
    )
    {
        using var answer = call(
            request,
            LedgerFixture.OptionsOf("giftcard").WithCancellationToken(context.CancellationToken)
        );
        return await answer;
    }
}
