namespace LocalPlus.Giftcard.Runs;

/// <summary>Wakes the starter after a commit that left a run to start. A lost ring costs one idle poll.</summary>
internal sealed class RunSignal : IDisposable
{
    private readonly SemaphoreSlim bell = new(0, 1);

    public void Ring()
    {
        try
        {
            bell.Release();
        }
        catch (SemaphoreFullException)
        {
            // It rings already.
        }
    }

    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancel) => bell.WaitAsync(timeout, cancel);

    public void Dispose() => bell.Dispose();
}
