using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// How hard and how long. Without a rate the loop is closed: each client sends its next request when it has its answer.
/// With a rate it is open: requests are due at fixed times and a late one counts from when it was due.
/// </summary>
internal sealed record BenchOptions(int Clients, TimeSpan For, double? Rate, bool JsonOnly)
{
    public const string Usage = "options: --clients N (16) --for SECONDS (10) --rps N (closed loop) --json";

    private const int MaxClients = 1024;
    private const int MaxSeconds = 3600;

    public static BenchOptions? Parse(string[] words)
    {
        var options = new BenchOptions(16, TimeSpan.FromSeconds(10), null, false);
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] == "--json")
            {
                options = options with { JsonOnly = true };
                continue;
            }

            if (i + 1 >= words.Length || !double.TryParse(words[i + 1], CultureInfo.InvariantCulture, out var number) || number <= 0)
            {
                return null;
            }

            switch (words[i++])
            {
                case "--clients" when number <= MaxClients:
                    options = options with { Clients = (int)number };
                    break;
                case "--for" when number <= MaxSeconds:
                    options = options with { For = TimeSpan.FromSeconds(number) };
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
