namespace LocalPlus.Giftcard;

/// <summary>Every bound of this service that is not a setting, in one place.</summary>
internal static class GiftcardLimits
{
    public const int SourcesPerRedemption = 10;

    /// <summary>The ledger takes at most so many accounts in one hold.</summary>
    public const int LegsPerRedemption = 20;

    public const int PageDefault = 50;
    public const int PageMax = 200;
    public const int MetadataKeys = 50;
    public const int MetadataValueLength = 500;
    public const int ReferenceLength = 255;
    public const int ReasonLength = 500;
    public const int NameLength = 200;
    public const int AddressLength = 2000;
    public const int ValidityDaysMax = 36_500;
    public const int AcceptancesPerProgram = 200;
    public const int TimelineRows = 1000;

    public const int HoldSecondsDefault = 900;
    public const int HoldSecondsMin = 10;
    public const int HoldSecondsMax = 7 * 24 * 3600;

    /// <summary>A confirm that is on its way when the hold runs out still counts.</summary>
    public static readonly TimeSpan HoldGrace = TimeSpan.FromSeconds(5);

    /// <summary>How long a request has for itself before the sweeper takes its unfinished step over.</summary>
    public static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(5);

    /// <summary>
    /// As <see cref="TakeOver"/>, for a redemption that an offline item drives: the item itself is due long before.
    /// </summary>
    public static readonly TimeSpan TakeOverOfItems = TimeSpan.FromDays(1);

    /// <summary>The sweeper's longest pause between two tries at one step.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    /// <summary>After so many tries a step is shown to the operators; it goes on being tried.</summary>
    public const int AttemptsUntilAttention = 10;

    public const int AllowanceSecondsMin = 60;
    public const int AllowanceSecondsMax = 7 * 24 * 3600;

    /// <summary>A signed allowance is some 500 characters.</summary>
    public const int AllowanceLength = 2000;

    public const int OfflineItemsPerBatch = 100;

    /// <summary>How long an upload carries its items out itself; a request has 3 s.</summary>
    public static readonly TimeSpan BatchTime = TimeSpan.FromSeconds(1);

    public const int BatchQuantityMax = 10_000;

    /// <summary>Cards of a batch that are printed on sheets; larger batches go to a printer as CSV.</summary>
    public const int BatchSheetsMax = 500;

    /// <summary>Batches of one merchant that are being made at once.</summary>
    public const int BatchesBeingMade = 5;

    /// <summary>How long the codes of a batch wait for their printer.</summary>
    public static readonly TimeSpan BatchCodesLife = TimeSpan.FromDays(7);

    /// <summary>Rows of one import, in all its parts.</summary>
    public const int ImportRowsMax = 1_000_000;

    public const int ImportPartsMax = 1000;

    /// <summary>A part is 1 MiB at most, as every body is; so many short rows fit into it.</summary>
    public const int ImportPartRowsMax = 20_000;

    /// <summary>Imports of one merchant that are neither over nor given up.</summary>
    public const int ImportsUnderWay = 10;

    /// <summary>How long an import waits for its next step before it is given up.</summary>
    public static readonly TimeSpan ImportPatience = TimeSpan.FromDays(7);

    /// <summary>How long the rows of an import are kept: for its report, and to take it back.</summary>
    public static readonly TimeSpan ImportLife = TimeSpan.FromDays(30);

    /// <summary>What may be on a card whose code can be guessed, in whole units of its currency.</summary>
    public const long WeakCodeUnits = 50;

    /// <summary>How long before the end of a card's time its holder and merchant are told.</summary>
    public static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(30);

    /// <summary>Runs of one bulk.</summary>
    public const int RunsPerBulk = 5000;

    /// <summary>Runs that an operator may do something to at once; more are an administrator's.</summary>
    public const int RunsPerOperator = 100;

    /// <summary>Bulks that run or are paused.</summary>
    public const int RunBulksAtWork = 5;

    /// <summary>How long what was chosen can be started: what was true then is looked at again after it.</summary>
    public static readonly TimeSpan RunBulkPreviewLife = TimeSpan.FromHours(1);

    /// <summary>Before a run is tried again that nothing came of.</summary>
    public static readonly TimeSpan RunBulkRest = TimeSpan.FromSeconds(10);

    /// <summary>How long a bulk and its runs are kept after their last change.</summary>
    public static readonly TimeSpan RunBulkLife = TimeSpan.FromDays(90);

    public const int MessageLength = 1000;

    /// <summary>So many codes that match nothing, from one merchant in one minute, are guessed.</summary>
    public const int MissesUntilAlarm = 20;

    /// <summary>How far ahead a digital card may be sent.</summary>
    public static readonly TimeSpan DeliveryAhead = TimeSpan.FromDays(366);

    /// <summary>How long the code of a sent card is kept for mails that have to be repeated.</summary>
    public static readonly TimeSpan DeliveryLife = TimeSpan.FromDays(7);

    /// <summary>How long a code can be had again by repeating the sale with its key.</summary>
    public static readonly TimeSpan SealedCodeLife = TimeSpan.FromHours(24);
}
