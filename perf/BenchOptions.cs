using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// How hard and how long. Without a rate the loop is closed: each client sends its next request when it has its answer.
/// With a rate it is open: requests are due at fixed times and a late one counts from when it was due.
/// </summary>
internal sealed record BenchOptions(int Clients, TimeSpan For, double? Rate, bool JsonOnly)
{
    public const string Usage =
        "options: --clients N (64) --for SECONDS (10) --rps N (closed loop) --pgledger FILE --history "
        + "ROWS (0) --json";

    /// <summary>pgledger's SQL, for the yardstick of that name.</summary>
    public string? Pgledger { get; init; }

    /// <summary>A number of clients was asked for: scenarios that measure several measure this one.</summary>
    public bool OnlyTheseClients { get; init; }

    /// <summary>
    /// How many entries the books have before a transfer bench begins, or rows the databases before the second half of
    /// a redeem bench.
    /// </summary>
    public long History { get; init; }

    private const int DefaultClients = 64;
    private const long MaxHistory = 100_000_000;
    private const int MaxClients = 1024;
    private const int MaxSeconds = 3600;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(20);

    /// <summary>First answers pay for compilation and cold pools; they are sent but not counted.</summary>
    public BenchOptions ToWarmUp() => this with { For = WarmUp };

    /// <summary>For what stands beside the measurement: as long as it, within a bound.</summary>
    public BenchOptions Briefly() => this with { For = For < Brief ? For : Brief };

    public BenchOptions Closed() => this with { Rate = null };

    public static BenchOptions? Parse(string[] words)
    {
        var options = new BenchOptions(DefaultClients, TimeSpan.FromSeconds(10), null, false);
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] == "--json")
            {
                options = options with { JsonOnly = true };
                continue;
            }

            if (words[i] == "--pgledger" && i + 1 < words.Length)
            {
                options = options with { Pgledger = words[++i] };
                continue;
            }

            if (
                i + 1 >= words.Length
                || !double.TryParse(words[i + 1], CultureInfo.InvariantCulture, out var number)
                || number <= 0
            )
            {
                return null;
            }

            switch (words[i++])
            {
                case "--clients" when number <= MaxClients:
                    options = options with { Clients = (int)number, OnlyTheseClients = true };
                    break;
                case "--for" when number <= MaxSeconds:
                    options = options with { For = TimeSpan.FromSeconds(number) };
                    break;
                case "--history" when number <= MaxHistory:
                    options = options with { History = (long)number };
                    break;
                case "--rps":
                    options = options with { Rate = number };
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
