using System.Diagnostics;

namespace LocalPlus.Perf.Transfer;

/// <summary>
/// Holds the outbox's leader lock, as another replica would, so that the ledger under test publishes nothing meanwhile.
/// </summary>
internal sealed class StillRelay : IAsyncDisposable
{
    private const string Taken = "taken";
    private readonly Process _psql;

    private StillRelay(Process psql) => _psql = psql;

    public static async Task<StillRelay> TakeAsync(string database, CancellationToken cancel)
    {
        // Whoever leads the relay loses its sessions first; it will come back and find itself following.
        var process = Process.Start(
            new ProcessStartInfo(Api.Setting("LP_PSQL"), ["-X", "-q", "-A", "-t", "-d", database, "-f", "-"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        await process.StandardInput.WriteLineAsync(
            $"""
            SELECT count(pg_terminate_backend(pid)) FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND classid = {OutboxLock
                >> 32} AND objid = {OutboxLock & uint.MaxValue} AND pid <> pg_backend_pid() \g /dev/null
            SELECT pg_advisory_lock({OutboxLock}) \g /dev/null
            SELECT '{Taken}';
            """
        );
        await process.StandardInput.FlushAsync(cancel);
        return await process.StandardOutput.ReadLineAsync(cancel) == Taken
            ? new StillRelay(process)
            : throw new BenchException("the outbox's lock could not be taken");
    }

    public async ValueTask DisposeAsync()
    {
        _psql.StandardInput.Close();
        await _psql.WaitForExitAsync();
        _psql.Dispose();
    }

    /// <summary>OutboxRelay's lock key.</summary>
    private const long OutboxLock = 0x4C50_4F55_5442;
}
