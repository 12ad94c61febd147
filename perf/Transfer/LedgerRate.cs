namespace LocalPlus.Perf.Transfer;

/// <summary>
/// What the ledger by itself takes of transfers between 1,000 accounts over REST: the yardstick of what is built upon
/// it. Its process and its database are gone before this returns.
/// </summary>
internal static class LedgerRate
{
    private const int Accounts = 1000;

    public static async Task<Load> MeasureAsync(BenchOptions options, CancellationToken cancel)
    {
        await using var ledger = await LedgerUnderTest.StartAsync(cancel);
        var transfers = new TransferLoad(ledger, await BenchAccounts.OpenAsync(ledger.Address, Accounts, cancel));
        await transfers.SendAsync(options.ToWarmUp(), AccountPickers.Uniform(Accounts), cancel);
        return await transfers.SendAsync(options, AccountPickers.Uniform(Accounts), cancel);
    }
}
