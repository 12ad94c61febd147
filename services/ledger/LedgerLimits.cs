namespace LocalPlus.Ledger;

/// <summary>Every limit of the ledger, by name.</summary>
internal static class LedgerLimits
{
    /// <summary>Commands waiting for a writer; more are refused with busy.</summary>
    public const int QueuedCommands = 4096;

    /// <summary>Those of one merchant; more are refused with busy, and others have room.</summary>
    public const int QueuedPerMerchant = 1024;

    /// <summary>Dry runs and items of bulks that wait.</summary>
    public const int HeapedCommands = 4096;

    /// <summary>Those of one merchant; more are refused with quota_exceeded.</summary>
    public const int HeapedPerMerchant = 1024;

    /// <summary>What a merchant may have waiting though others fill the queue.</summary>
    public const int PlacesOfEachMerchant = 16;

    /// <summary>Bulks of one merchant under way at once; more are refused with quota_exceeded.</summary>
    public const int BulksPerMerchant = 4;

    /// <summary>Items of a bulk that wait at once; the next ones follow as these are done.</summary>
    public const int BulkChunk = 128;

    /// <summary>
    /// Transactions of bulks in one database transaction: fewer than of tills, who may wait for its locks.
    /// </summary>
    public const int HeapBatchWeight = 128;

    /// <summary>Operations in one call of the internal door.</summary>
    public const int OperationsPerCall = 128;

    /// <summary>Commands in one database transaction.</summary>
    public const int BatchCommands = 512;

    /// <summary>Transactions under way at once: one is decided while another waits for its flush.</summary>
    public const int Writers = 2;

    public const int PostingsPerTransaction = 100;
    public const int SourcesPerHold = 20;
    public const int AccountsPerRequest = 100;
    public const int TransactionsPerBulk = 1000;
    public const int MetadataEntries = 50;
    public const int MetadataKeyCharacters = 100;
    public const int MetadataCharacters = 500;
    public const int ReferenceCharacters = 255;
    public const int NameCharacters = 200;
    public const int Stripes = 16;
    public const int EntriesPerStreamPage = 500;
    public const int HoldsPerSweep = 200;

    /// <summary>Transactions that get their place in the log in one database transaction.</summary>
    public const int LeavesPerRound = 4096;

    /// <summary>How long a hold may live, from its placing or extension.</summary>
    public static readonly TimeSpan HoldLifetime = TimeSpan.FromDays(30);

    /// <summary>A capture that races the expiry still wins for this long.</summary>
    public static readonly TimeSpan ExpiryGrace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The longest rest between two batches of bulks and dry runs while tills are served; else it is as long as the
    /// batch before took.
    /// </summary>
    public static readonly TimeSpan HeapRest = TimeSpan.FromMilliseconds(200);

    public static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Between two rounds of the sequencer. A doorbell would bring receipts sooner and cost a flush of the disk for
    /// each batch; twice a second keeps the promise of a second at the price of two flushes.
    /// </summary>
    public static readonly TimeSpan SequencePace = TimeSpan.FromMilliseconds(500);

    /// <summary>Between two looks at a log that contradicts itself; only an operator can mend it.</summary>
    public static readonly TimeSpan BrokenLogPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A command that found no database for so long is answered with busy; its key tells later what became of it.
    /// </summary>
    public static readonly TimeSpan CommandDeadline = TimeSpan.FromSeconds(4);

    /// <summary>
    /// A caller waits no longer than that, whatever state the database is in: longer than one statement may take.
    /// </summary>
    public static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(6);

    /// <summary>A transaction that is not in the log after this long is a finding.</summary>
    public static readonly TimeSpan SealedWithin = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A hold that is still pending so long after its end is a finding: the sweeper should have had it.
    /// </summary>
    public static readonly TimeSpan HoldOverdue = TimeSpan.FromMinutes(10);

    /// <summary>A reconciliation that takes longer gives up.</summary>
    public static readonly TimeSpan ReconciliationTime = TimeSpan.FromHours(2);

    /// <summary>Between two counts of the open findings, for the alert.</summary>
    public static readonly TimeSpan FindingsCount = TimeSpan.FromSeconds(15);
}
