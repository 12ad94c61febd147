using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>How a flag is said.</summary>
public enum FlagKind
{
    /// <summary>on or off.</summary>
    Switch,

    /// <summary>Of how many merchants in a hundred it is on: 0 to 100, with two decimals at most.</summary>
    Share,
}

/// <summary>
/// Something that operators switch while services run, by the component <c>featureflags</c>. All there are stand here.
/// </summary>
/// <param name="Name">In snake_case; the component has it behind <see cref="Prefix"/>.</param>
/// <param name="Default">What holds where the component says nothing, or nothing that can be read.</param>
public sealed partial record Flag(string Name, FlagKind Kind, string Default, string Meaning)
{
    public const string Prefix = "flags.";

    /// <summary>A merchant's place among all, in steps of a hundredth of a percent.</summary>
    private const int Places = 10_000;

    public static readonly Flag OfflineAllowances = new(
        "offline_allowances",
        FlagKind.Switch,
        "on",
        "Off: tills get no new allowance to take cards offline; those that are out stay good."
    );

    public static readonly Flag CachedWallets = new(
        "cached_wallets",
        FlagKind.Share,
        "100",
        "The merchants whose customers' wallets are read through a cache; of the others each reading asks the database."
    );

    public static IReadOnlyList<Flag> All { get; } = [CachedWallets, OfflineAllowances];

    public string Key => Prefix + Name;

    /// <summary>How many of <see cref="Places"/> it is on for; null: that is no value of this flag.</summary>
    internal int? Read(string text) =>
        Kind switch
        {
            FlagKind.Switch => text switch
            {
                "on" => Places,
                "off" => 0,
                _ => null,
            },
            _ => ReadPercent(text),
        };

    /// <summary>A percentage with at most two places behind the point, as hundredths of a percent.</summary>
    private static int? ReadPercent(string text) =>
        Percent().Match(text) is { Success: true } match
        && int.Parse(
            match.Groups["whole"].Value + match.Groups["places"].Value.PadRight(2, '0'),
            CultureInfo.InvariantCulture
        )
            is <= Places
                and var hundredths
            ? hundredths
            : null;

    [GeneratedRegex(@"^(?<whole>[0-9]{1,3})(\.(?<places>[0-9]{1,2}))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Percent();

    /// <summary>
    /// 0 to 9,999: the same for a merchant always and everywhere, and for each flag another, so that a share that grows
    /// takes nobody back.
    /// </summary>
    internal int PlaceOf(MerchantId merchant) =>
        (int)(
            BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{Name}|{merchant}"))) % Places
        );
}
