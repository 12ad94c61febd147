using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Perf;

/// <summary>PostgreSQL's own load generator, on the same server: what the yardsticks are run with.</summary>
internal static partial class Pgbench
{
    private const int Threads = 2;

    /// <summary>Transactions per second of a script, by clients with prepared statements.</summary>
    public static async Task<double> RunAsync(
        string database,
        string script,
        int clients,
        TimeSpan time,
        CancellationToken cancel
    )
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, script, cancel);
            var output = await Tool.RunAsync(
                Api.Setting("LP_PGBENCH"),
                [
                    "-n",
                    "-M",
                    "prepared",
                    "-c",
                    $"{clients}",
                    "-j",
                    $"{Math.Min(clients, Threads)}",
                    "-T",
                    $"{Math.Max(1, (int)time.TotalSeconds)}",
                    "-f",
                    file,
                    database,
                ],
                "",
                cancel
            );
            return double.Parse(Tps().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex(@"tps = ([0-9.]+) \(without")]
    private static partial Regex Tps();
}
