using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Ledger;

/// <summary>
/// The ledger did not answer: whether it did what was asked is not known. Asking again with the same key finds out.
/// </summary>
internal sealed class LedgerUnknownException(string detail, Exception? cause) : Exception(detail, cause);

/// <summary>
/// The ledger's operations as this service uses them. A refusal becomes a <see cref="FaultException"/> with the
/// ledger's stable code; silence becomes <see cref="LedgerUnknownException"/>. Every mutation is keyed, so one quick
/// second try is made here and any number of later ones elsewhere.
/// </summary>
internal sealed class LedgerGateway(LedgerService.LedgerServiceClient client, ILogger<LedgerGateway> log)
{
    private const int Tries = 2;

    /// <summary>One try, or what its caller has left if that is less: both end inside the time of a request.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly LedgerCalls calls = new(
        (request, cancel) => CallAsync(log, client.ExecuteBatchAsync, request, cancel)
    );

    public Task<OpenAccountsResponse> OpenAccountsAsync(OpenAccountsRequest request, CancellationToken cancel) =>
        CallAsync(client.OpenAccountsAsync, request, cancel);

    public Task<GetAccountsResponse> GetAccountsAsync(GetAccountsRequest request, CancellationToken cancel) =>
        CallAsync(client.GetAccountsAsync, request, cancel);

    public Task<PostTransactionResponse> PostAsync(PostTransactionRequest request, CancellationToken cancel) =>
        CallAsync(client.PostTransactionAsync, request, cancel);

    public Task<PostTransactionResponse> ReverseAsync(ReverseTransactionRequest request, CancellationToken cancel) =>
        CallAsync(client.ReverseTransactionAsync, request, cancel);

    /// <summary>
    /// Hold and capture in one, for what is spent at once; shares a call with what comes at the same time. The answer
    /// names what was available on every source right after.
    /// </summary>
    public async Task<Spent> SpendAsync(SpendRequest request, CancellationToken cancel)
    {
        Outcome outcome;
        try
        {
            outcome = await calls.ExecuteAsync(new Operation { Spend = request }, cancel);
        }
        catch (OperationCanceledException gone) when (cancel.IsCancellationRequested)
        {
            throw new LedgerUnknownException("Nobody waited for the ledger's answer.", gone);
        }

        return outcome.Refusal is { } refusal
            ? throw Translate(log, nameof(SpendRequest), refusal.Code, refusal.Detail, null)
            : outcome.Spend.Spent;
    }

    public async Task<Hold> PlaceHoldAsync(PlaceHoldRequest request, CancellationToken cancel) =>
        (await CallAsync(client.PlaceHoldAsync, request, cancel)).Hold;

    public async Task<Hold> CaptureHoldAsync(CaptureHoldRequest request, CancellationToken cancel) =>
        (await CallAsync(client.CaptureHoldAsync, request, cancel)).Hold;

    public async Task<Hold> ReleaseHoldAsync(ReleaseHoldRequest request, CancellationToken cancel) =>
        (await CallAsync(client.ReleaseHoldAsync, request, cancel)).Hold;

    public async Task<Hold> ExtendHoldAsync(ExtendHoldRequest request, CancellationToken cancel) =>
        (await CallAsync(client.ExtendHoldAsync, request, cancel)).Hold;

    public async Task<Hold> GetHoldAsync(GetHoldRequest request, CancellationToken cancel) =>
        (await CallAsync(client.GetHoldAsync, request, cancel)).Hold;

    public async Task<Transaction> GetTransactionAsync(GetTransactionRequest request, CancellationToken cancel) =>
        (await CallAsync(client.GetTransactionAsync, request, cancel)).Transaction;

    private Task<TResponse> CallAsync<TRequest, TResponse>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call,
        TRequest request,
        CancellationToken cancel
    ) => CallAsync(log, call, request, cancel);

    private static async Task<TResponse> CallAsync<TRequest, TResponse>(
        ILogger log,
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call,
        TRequest request,
        CancellationToken cancel
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await Failpoints.BeforeAsync(typeof(TRequest).Name);
                // The wall clock on purpose: the deadline travels to the ledger as a duration.
                var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + RequestDeadline.Within(Deadline);
                using var answer = call(request, new CallOptions(deadline: deadline, cancellationToken: cancel));
                var response = await answer.ResponseAsync;
                await Failpoints.AnsweredAsync(typeof(TRequest).Name);
                return response;
            }
            catch (RpcException refusal) when (refusal.Trailers.GetValue(GrpcFaults.CodeTrailer) is { } code)
            {
                throw Translate(log, typeof(TRequest).Name, code, refusal.Status.Detail, refusal);
            }
            catch (RpcException) when (attempt < Tries && !cancel.IsCancellationRequested)
            {
                // Unknown outcome: the same key asks again.
            }
            catch (RpcException silence)
            {
                throw new LedgerUnknownException($"The ledger did not answer: {silence.StatusCode}.", silence);
            }
        }
    }

    /// <summary>
    /// Busy is silence: the same question may be answered later. A code that none of our questions should provoke is a
    /// bug, but a refusal all the same: asked again the ledger says it again, so what asked comes to an end and
    /// operators are shown it.
    /// </summary>
    private static Exception Translate(ILogger log, string question, string code, string detail, RpcException? refusal)
    {
        if (
            code == CommonFaults.Busy.Code
            || code == CommonFaults.QuotaExceeded.Code
            || code == CommonFaults.RequestInProgress.Code
            || code == CommonFaults.InternalError.Code
        )
        {
            return new LedgerUnknownException($"The ledger is busy: {detail}", refusal);
        }

        if (Faults.FromLedger(code) is { } fault)
        {
            return new FaultException(fault, detail);
        }

        log.LedgerRefusedUnexpectedly(question, code, detail);
        return new FaultException(
            Faults.OperationFailed,
            $"The ledger refused it with {code}, which is not the caller's fault."
        );
    }
}
