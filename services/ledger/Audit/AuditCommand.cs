using System.Globalization;
using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Proof;
using Npgsql;

namespace LocalPlus.Ledger.Audit;

/// <summary>
/// The verbs `verify [--key PEM] [--checkpoints FILE]` and `rebuild [--until TIME]`: read everything over one snapshot,
/// in bounded memory, and change nothing. Exit code: 0 all agrees, 1 something does not, 2 usage, 3 no such file, 5 no
/// database.
/// </summary>
internal static class AuditCommand
{
    private const int Usage = 2;
    private const int NotFound = 3;
    private const int Unavailable = 5;

    public static bool Knows(string[] args) => args is ["verify" or "rebuild", ..];

    public static async Task<int> RunAsync(
        string[] args,
        IConfiguration configuration,
        TextWriter output,
        CancellationToken cancel
    )
    {
        try
        {
            var report = new AuditReport(output, TimeProvider.System);
            await using var source = Source(configuration.Secret("database"));
            switch (args)
            {
                case ["rebuild"]:
                    await new BalanceAudit(source, report).RunAsync(null, cancel);
                    break;
                case ["rebuild", "--until", var until]:
                    await new BalanceAudit(source, report).RunAsync(Instant(until), cancel);
                    break;
                case ["verify", .. var options]:
                    await VerifyAsync(source, report, Options(options), cancel);
                    break;
                default:
                    throw new FormatException("rebuild takes --until TIME and nothing else");
            }

            return report.Findings == 0 ? 0 : 1;
        }
        catch (FormatException usage)
        {
            return Fail(
                output,
                Usage,
                usage.Message,
                "verify [--key PEM] [--checkpoints FILE] | rebuild [--until 2026-01-31T00:00:00Z]"
            );
        }
        catch (FileNotFoundException missing)
        {
            return Fail(
                output,
                NotFound,
                missing.Message,
                "name the file that the ledger writes its checkpoints to, and the public key of its log"
            );
        }
        catch (NpgsqlException away) when (away is not PostgresException)
        {
            return Fail(output, Unavailable, away.Message, "see that PostgreSQL runs and can be reached");
        }
    }

    /// <summary>Reading everything takes as long as it takes.</summary>
    private static NpgsqlDataSource Source(string database) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database)
            {
                ApplicationName = "ledger audit",
                CommandTimeout = 0,
                Pooling = false,
                Options = "-c statement_timeout=0 -c default_transaction_read_only=on",
            }
        );

    private static async Task VerifyAsync(
        NpgsqlDataSource source,
        AuditReport report,
        Dictionary<string, string> options,
        CancellationToken cancel
    )
    {
        var keys = options.TryGetValue("--key", out var keyPath)
            ? await File.ReadAllTextAsync(Existing(keyPath), cancel)
            : null;
        if (keys is not null && !PemEncoding.TryFind(keys, out _))
        {
            throw new FormatException($"{keyPath} holds no public key in PEM");
        }

        var checkpoints = options.TryGetValue("--checkpoints", out var path)
            ? CheckpointFile.Read(Existing(path))
            : null;
        await new LogAudit(source, report).RunAsync(checkpoints, keys, cancel);
    }

    private static string Existing(string path) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"there is no file {path}");

    private static Dictionary<string, string> Options(string[] words) =>
        words.Length % 2 == 0 && words.Where((_, i) => i % 2 == 0).All(name => name is "--key" or "--checkpoints")
            ? words.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal)
            : throw new FormatException("verify takes --key PEM and --checkpoints FILE");

    private static DateTimeOffset Instant(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw new FormatException($"{text} is not a time");

    private static int Fail(TextWriter output, int exitCode, string message, string next)
    {
        output.WriteLine($"failed: {message}");
        output.WriteLine($"next:   {next}");
        return exitCode;
    }
}
