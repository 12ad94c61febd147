namespace LocalPlus.Wallet.Keys;

/// <summary>
/// Takes the key that comes to the front of pii_key, and brings what is stored to it; says how much is left. A figure
/// of 0 stays: nothing older is written any more.
/// </summary>
internal sealed class PiiRewriter(
    PiiVersions versions,
    PiiRewriting rewriting,
    TimeProvider time,
    ILogger<PiiRewriter> log
) : BackgroundService
{
    /// <summary>Lots of each kind between two pauses: requests have the database too.</summary>
    private const int Lots = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await GoOnAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.PiiVersionStumbled(exception);
            }
        }
    }

    private async Task GoOnAsync(CancellationToken cancel)
    {
        var version = await versions.TurnAsync(cancel);
        if (!version.IsAlone)
        {
            for (var lot = 0; lot < Lots && await rewriting.BringAsync(version, cancel) > 0; lot++) { }

            var left = await rewriting.CountAsync(version, cancel);
            Telemetry.OldVersions.Record(left);
            if (left > 0)
            {
                return;
            }

            await versions.FinishAsync(version, cancel);
        }

        Telemetry.OldVersions.Record(0);
    }
}
