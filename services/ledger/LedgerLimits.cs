namespace LocalPlus.Ledger;

/// <summary>Every limit of the ledger, by name.</summary>
internal static class LedgerLimits
{
    /// <summary>Commands waiting for a writer; more are refused with busy.</summary>
    public const int QueuedCommands = 4096;

    /// <summary>Commands in one database transaction.</summary>
    public const int BatchCommands = 256;

    /// <summary>Transactions under way at once, so that one can be computed while another is being flushed.</summary>
    public const int Writers = 2;

    public const int PostingsPerTransaction = 100;
    public const int SourcesPerHold = 20;
    public const int AccountsPerRequest = 100;
    public const int MetadataEntries = 50;
    public const int MetadataCharacters = 500;
    public const int ReferenceCharacters = 255;
    public const int EntriesPerStreamPage = 500;
    public const int HoldsPerSweep = 100;

    /// <summary>How long a hold may live, from its placing or extension.</summary>
    public static readonly TimeSpan HoldLifetime = TimeSpan.FromDays(30);

    /// <summary>A capture that races the expiry still wins for this long (domain.md section 5).</summary>
    public static readonly TimeSpan ExpiryGrace = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    /// <summary>Money's own limit: what JSON carries exactly.</summary>
    public const long Amount = Kernel.Money.Limit;
}
