namespace LocalPlus.Ledger.Commit;

/// <summary>
/// The ledger's time is the database's, read once all locks are held: replicas whose clocks differ still agree on what
/// has expired. In whole milliseconds, as the API writes it. The offset is for tests that let time pass.
/// </summary>
internal sealed class LedgerClock
{
    public TimeSpan Offset { get; set; }

    public DateTimeOffset Read(DateTime databaseTime)
    {
        var ticks = databaseTime.Ticks + Offset.Ticks;
        return new DateTimeOffset(ticks - (ticks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
    }
}
