namespace LocalPlus.Tests.Unit.Ledger.Support;

/// <summary>
/// Tests that get better with time have two forms: the short one of every run, and the long one of `./localplus test
/// ledger`, which sets LP_LONG.
/// </summary>
internal static class LongRun
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("LP_LONG") == "1";

    /// <summary>What LP_SEED repeats, as the failed run printed it.</summary>
    public static string[] Seed { get; } = Environment.GetEnvironmentVariable("LP_SEED")?.Split(',') ?? [];

    public static T Of<T>(T inShort, T inLong) => IsOn ? inLong : inShort;
}
