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
    public const int AcceptancesPerProgram = 200;
    public const int TimelineRows = 1000;

    public const int HoldSecondsDefault = 900;
    public const int HoldSecondsMin = 10;
    public const int HoldSecondsMax = 7 * 24 * 3600;

    /// <summary>A confirm that is on its way when the hold runs out still counts.</summary>
    public static readonly TimeSpan HoldGrace = TimeSpan.FromSeconds(5);

    /// <summary>How long a request has for itself before the sweeper takes its unfinished step over.</summary>
    public static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(5);

    /// <summary>The sweeper's longest pause between two tries at one step.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    /// <summary>After so many tries a step is shown to the operators; it goes on being tried.</summary>
    public const int AttemptsUntilAttention = 10;

    /// <summary>How long a code can be had again by repeating the sale with its key.</summary>
    public static readonly TimeSpan SealedCodeLife = TimeSpan.FromHours(24);
}
