using LocalPlus.Hosting;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Ledger.Rest;

/// <summary>What every mutating REST slice does with the operation it read: key, queue, answer.</summary>
internal static class RestCommands
{
    /// <summary>Does it once per Idempotency-Key; a dry run answers what would happen and changes nothing.</summary>
    public static async Task<IResult> RunAsync<TRequest>(
        this CommandQueue queue,
        HttpContext http,
        TRequest request,
        Operation operation,
        bool dryRun,
        CancellationToken cancel
    )
    {
        var door = new RestDoor(http.Request.Path);
        var command = dryRun
            ? new Command(operation, door, null, null) { IsDryRun = true }
            : new Command(
                operation,
                door,
                IdempotentRequests.Key(http),
                IdempotentRequests.FingerprintOf(http, request)
            );
        return await queue.RunAsync(command, cancel);
    }
}
