using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Perf.GiftCards;

/// <summary>
/// Whose the bytes of the write-ahead log are. PostgreSQL counts them for the whole server only, but every record names
/// the database of the pages it changes, and a commit that of its transaction.
/// </summary>
internal static partial class WalByDatabase
{
    /// <summary>Records of no database: checkpoints, snapshots, commits of transactions that changed nothing.</summary>
    public const string Shared = "shared";

    private const string NoTransaction = "0";

    /// <summary>Bytes by database; empty when the server has given the beginning of the log away already.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> ReadAsync(long from, long to, CancellationToken cancel)
    {
        var folder = (await Psql.RunAsync("postgres", "SHOW data_directory;", cancel)).Trim();
        var names = (await Psql.RunAsync("postgres", "SELECT oid, datname FROM pg_database;", cancel))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('|'))
            .ToDictionary(row => row[0], row => row[1], StringComparer.Ordinal);
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        var databaseOf = new Dictionary<string, string>(StringComparer.Ordinal);
        using var process = Process.Start(
            new ProcessStartInfo(
                Api.Setting("LP_PG_WALDUMP"),
                ["-p", Path.Combine(folder, "pg_wal"), "-s", Lsn(from), "-e", Lsn(to)]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        while (await process.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            if (Record().Match(line) is not { Success: true } record)
            {
                continue;
            }

            var transaction = record.Groups["tx"].Value;
            var database = Page().Match(line) is { Success: true } page
                ? names.GetValueOrDefault(page.Groups["db"].Value, Shared)
                : databaseOf.GetValueOrDefault(transaction, Shared);
            if (transaction != NoTransaction)
            {
                databaseOf[transaction] = database;
            }

            bytes[database] =
                bytes.GetValueOrDefault(database)
                + long.Parse(record.Groups["bytes"].Value, CultureInfo.InvariantCulture);
        }

        await process.WaitForExitAsync(cancel);
        await errors;
        return process.ExitCode == 0 ? bytes : new Dictionary<string, long>(StringComparer.Ordinal);
    }

    private static string Lsn(long at) => string.Create(CultureInfo.InvariantCulture, $"{at >> 32:X}/{(uint)at:X}");

    [GeneratedRegex(@"len \(rec/tot\):\s*\d+/\s*(?<bytes>\d+), tx:\s*(?<tx>\d+)")]
    private static partial Regex Record();

    [GeneratedRegex(@"rel \d+/(?<db>\d+)/\d+")]
    private static partial Regex Page();
}
