using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Ledger;

/// <summary>
/// Operations that share calls to the ledger. Every operation has its own outcome; a call that fails leaves all of its
/// own unknown, and no others. One that was sent is known by its key, also when nobody waited for it.
/// </summary>
/// <param name="send">Makes a call; throws what each of its operations is to be told.</param>
internal sealed class LedgerCalls(Func<ExecuteBatchRequest, CancellationToken, Task<ExecuteBatchResponse>> send)
{
    /// <summary>Operations in one call; the ledger takes 128.</summary>
    public const int OperationsPerCall = 64;

    /// <summary>Calls under way at once: one travels while another is decided.</summary>
    public const int CallsAtOnce = 4;

    private readonly SharedCalls<Operation, Outcome> calls = new(
        OperationsPerCall,
        CallsAtOnce,
        WhenOneFails.AllAreTold,
        async operations =>
        {
            var request = new ExecuteBatchRequest();
            request.Operations.AddRange(operations);
            return (await send(request, CancellationToken.None)).Outcomes;
        }
    );

    public Task<Outcome> ExecuteAsync(Operation operation, CancellationToken cancel) =>
        calls.AskAsync(operation, cancel);
}
