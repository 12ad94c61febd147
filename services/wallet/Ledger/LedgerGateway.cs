using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Ledger;

/// <summary>
/// The ledger did not answer: whether it did what was asked is not known. Asking again with the same key finds out.
/// </summary>
internal sealed class LedgerUnknownException(string detail, Exception? cause) : Exception(detail, cause);

/// <summary>
/// The ledger has refused it, with its stable code. Nothing was booked under that key, and nothing ever will be.
/// </summary>
internal sealed class LedgerRefusedException(string code, string detail, Exception? cause)
    : Exception($"{code}: {detail}", cause);

/// <summary>The ledger's operations as this service uses them; every one may be repeated.</summary>
internal sealed class LedgerGateway(LedgerService.LedgerServiceClient client)
{
    private const int Tries = 2;

    /// <summary>One try, or what its caller has left if that is less.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    public Task<OpenAccountsResponse> OpenAccountsAsync(OpenAccountsRequest request, CancellationToken cancel) =>
        CallAsync(client.OpenAccountsAsync, request, cancel);

    /// <summary>Posts these in one call, each by itself: what was posted, or why it was not.</summary>
    public async Task<IReadOnlyList<(PostTransactionResponse? Posted, Exception? Failure)>> PostAllAsync(
        IReadOnlyCollection<PostTransactionRequest> requests,
        CancellationToken cancel
    )
    {
        var batch = new ExecuteBatchRequest();
        batch.Operations.AddRange(requests.Select(request => new Operation { PostTransaction = request }));
        var answer = await CallAsync(client.ExecuteBatchAsync, batch, cancel);
        return
        [
            .. answer.Outcomes.Select(outcome =>
                outcome.Refusal is { } refusal
                    ? ((PostTransactionResponse?)null, Failure(refusal.Code, refusal.Detail, null))
                    : (outcome.Transaction, (Exception?)null)
            ),
        ];
    }

    private static async Task<TResponse> CallAsync<TRequest, TResponse>(
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
                throw Failure(code, refusal.Status.Detail, refusal);
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

    private static Exception Failure(string code, string detail, RpcException? refusal) =>
        IsSilence(code)
            ? new LedgerUnknownException($"The ledger is busy: {detail}", refusal)
            : new LedgerRefusedException(code, detail, refusal);

    /// <summary>Busy is silence: the same question may be answered later.</summary>
    private static bool IsSilence(string code) =>
        code == CommonFaults.Busy.Code
        || code == CommonFaults.QuotaExceeded.Code
        || code == CommonFaults.RequestInProgress.Code
        || code == CommonFaults.InternalError.Code;
}
