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

    /// <summary>Either side of a rate; with amounts below 2^53 the product stays within 128 bits.</summary>
    public const long RateMax = 1_000_000_000;
}
