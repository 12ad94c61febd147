using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>Whose requests count together.</summary>
public enum CountedPer
{
    ApiKey,
    Merchant,
    Operator,
    Address,
}

/// <summary>
/// How often something may be asked for within any window (ADR 0034): so many times each key, merchant or address, at
/// each service, over all its replicas. LP_LIMIT_ and the name set it otherwise: LP_LIMIT_SALE=600/60 are 600 in 60 s.
/// </summary>
/// <param name="Name">As RateLimit-Policy and refusals say it.</param>
/// <param name="Quota">1 to <see cref="MaxQuota"/> in a window.</param>
/// <param name="Window">10 s to a day, in whole seconds.</param>
public sealed record RateLimit(string Name, CountedPer Per, long Quota, TimeSpan Window)
{
    public const long MaxQuota = 1_000_000_000;
    private const int MinSeconds = 10;
    private const int MaxSeconds = 24 * 3600;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Everything that one API key, or one of the merchant's people, asks for.</summary>
    public static readonly RateLimit Key = new("key", CountedPer.ApiKey, 240_000, Minute);

    /// <summary>Everything that a merchant asks for, with however many keys.</summary>
    public static readonly RateLimit Merchant = new("merchant", CountedPer.Merchant, 300_000, Minute);

    /// <summary>Objects found by their codes.</summary>
    public static readonly RateLimit Lookup = new("lookup", CountedPer.Merchant, 240_000, Minute);

    /// <summary>PINs that are compared.</summary>
    public static readonly RateLimit Pin = new("pin", CountedPer.Merchant, 60_000, Minute);

    /// <summary>Value that is created.</summary>
    public static readonly RateLimit Sale = new("sale", CountedPer.Merchant, 120_000, Minute);

    /// <summary>Merchants that an operator lets in.</summary>
    public static readonly RateLimit Onboarding = new("onboarding", CountedPer.Operator, 600, Minute);

    /// <summary>Mails that a merchant sends itself to try a template.</summary>
    public static readonly RateLimit TemplateTest = new(
        "template_test",
        CountedPer.Merchant,
        40,
        TimeSpan.FromHours(1)
    );

    /// <summary>Codes and PINs that matched nothing, of one merchant.</summary>
    public static readonly RateLimit Guess = new("guess", CountedPer.Merchant, 300, Minute);

    /// <summary>Codes and PINs that matched nothing, from one address of whatever merchants.</summary>
    public static readonly RateLimit GuessAddress = new("guess_address", CountedPer.Address, 600, Minute);

    public static IReadOnlyList<RateLimit> All { get; } =
    [Key, Merchant, Lookup, Pin, Sale, Onboarding, TemplateTest, Guess, GuessAddress];

    /// <summary>As an item of RateLimit-Policy.</summary>
    internal string Policy { get; } =
        string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={Quota};w={(long)Window.TotalSeconds}");

    /// <summary>The limit as the service's settings have it. Throws where a setting is no quota and window.</summary>
    public RateLimit As(IConfiguration configuration)
    {
        var variable = $"LP_LIMIT_{Name.ToUpperInvariant()}";
        if (configuration[variable] is not { Length: > 0 } text)
        {
            return this;
        }

        return
            text.Split('/') is [var quotaText, var secondsText]
            && long.TryParse(quotaText, NumberStyles.None, CultureInfo.InvariantCulture, out var quota)
            && quota is >= 1 and <= MaxQuota
            && int.TryParse(secondsText, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= MinSeconds and <= MaxSeconds
            ? new(Name, Per, quota, TimeSpan.FromSeconds(seconds))
            : throw new InvalidOperationException(
                $"{variable} is to be a quota of 1 to {MaxQuota} and a window of {MinSeconds} to {MaxSeconds} seconds, "
                    + "as in 600/60."
            );
    }
}
