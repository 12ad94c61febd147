namespace LocalPlus.Wallet;

/// <summary>Every bound of the loyalty half that is not a setting, in one place.</summary>
internal static class LoyaltyLimits
{
    public const int ReferenceLength = 255;
    public const int ReasonLength = 500;
    public const int Locations = 200;
    public const int Partners = 200;
    public const int Tiers = 10;
    public const int TierNameLength = 40;
    public const int ZoneLength = 64;
    public const int DaysMax = 36_500;
    public const int PhoneInputLength = 32;
    public const int CardInputLength = 64;

    public const int WordsPerRule = 500;
    public const int WordLength = 100;
    public const int PercentMax = 10_000;
    public const int OrderMax = 1_000_000;

    /// <summary>Rules of a programme that were not closed.</summary>
    public const int RulesPerProgram = 200;

    public const int LinesPerPurchase = 200;

    /// <summary>How far a till's clock may be ahead.</summary>
    public static readonly TimeSpan ClockAhead = TimeSpan.FromMinutes(5);

    /// <summary>How late a till may tell a purchase.</summary>
    public static readonly TimeSpan LateMax = TimeSpan.FromDays(366);

    /// <summary>Who spend together.</summary>
    public const int MembersPerPool = 10;

    /// <summary>A year.</summary>
    public const int ReturnWindowDaysMax = 365;

    public static readonly TimeSpan PendingMax = TimeSpan.FromDays(366);

    /// <summary>How long a request has for itself before the sweeper drives its command.</summary>
    public static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(3);

    /// <summary>The sweeper's longest pause between two tries at one command.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    /// <summary>After so many tries a command is shown to the operators; it goes on being tried.</summary>
    public const int AttemptsUntilAttention = 10;

    /// <summary>Either side of a rate; with amounts below 2^53 the product stays within 128 bits.</summary>
    public const long RateMax = 1_000_000_000;
}
