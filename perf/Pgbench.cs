using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LocalPlus.Perf;

/// <summary>
/// The yardstick: PostgreSQL's own pgbench on the same server, in a database of its own, running plain SQL that does the
/// least that the scenario's money movement needs (two rows locked in order, two entries, two balances).
/// </summary>
internal static partial class Pgbench
{
    public const string Name = "pgbench, two-account transfer in plain SQL";

    private const string Database = "bench";
    private const int Accounts = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private const string Schema = """
        DROP TABLE IF EXISTS entries, accounts;
        CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL);
        CREATE TABLE entries (id bigserial PRIMARY KEY, account bigint NOT NULL, amount bigint NOT NULL, at timestamptz NOT NULL);
        INSERT INTO accounts SELECT g, 1000000000 FROM generate_series(1, :accounts) g;
        """;

    private const string Transfer = """
        \set a random(1, :accounts - 1)
        \set b random(:a + 1, :accounts)
        BEGIN;
        SELECT balance FROM accounts WHERE id IN (:a, :b) ORDER BY id FOR UPDATE;
        INSERT INTO entries (account, amount, at) VALUES (:a, -1, now()), (:b, 1, now());
        UPDATE accounts SET balance = balance - 1 WHERE id = :a;
        UPDATE accounts SET balance = balance + 1 WHERE id = :b;
        COMMIT;
        """;

    /// <summary>Transactions per second; 0 when pgbench is not installed.</summary>
    public static async Task<double> RunAsync(int clients, TimeSpan time, CancellationToken cancel)
    {
        var program = Environment.GetEnvironmentVariable("LP_PGBENCH");
        var psql = Environment.GetEnvironmentVariable("LP_PSQL");
        if (string.IsNullOrEmpty(program) || string.IsNullOrEmpty(psql))
        {
            return 0;
        }

        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, Transfer, cancel);
            await RunAsync(psql, ["-X", "-q", "-d", "postgres", "-f", "-"], $"SELECT 'CREATE DATABASE {Database}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{Database}') \\gexec\n", cancel);
            await RunAsync(psql, ["-X", "-q", "-d", Database, "-v", $"accounts={Accounts}", "-f", "-"], Schema, cancel);
            var output = await RunAsync(
                program,
                ["-n", "-M", "prepared", "-c", $"{clients}", "-j", "2", "-T", $"{Math.Max(1, (int)time.TotalSeconds)}", "-D", $"accounts={Accounts}", "-f", script, Database],
                "", cancel);
            return double.Parse(Tps().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static async Task<string> RunAsync(string file, string[] arguments, string input, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        using var process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(limited.Token);
        var errors = process.StandardError.ReadToEndAsync(limited.Token);
        await process.StandardInput.WriteAsync(input.AsMemory(), limited.Token);
        process.StandardInput.Close();
        await process.WaitForExitAsync(limited.Token);
        return process.ExitCode == 0
            ? await output
            : throw new BenchException($"{Path.GetFileName(file)} ended with {process.ExitCode}: {await errors}");
    }

    [GeneratedRegex(@"tps = ([0-9.]+) \(without")]
    private static partial Regex Tps();
}
