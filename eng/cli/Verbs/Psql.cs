using System.CommandLine;
using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>A psql session in one of the stack's databases; whatever follows the name goes to psql.</summary>
internal static class Psql
{
    private static readonly string[] Databases = [.. Checkout.Apps, "workflow"];

    private static readonly Argument<string> Database = new("database")
    {
        Description = $"{string.Join(", ", Databases)}; ledger when nothing is said",
        Arity = ArgumentArity.ZeroOrOne,
        CompletionSources = { Databases },
    };

    private static readonly Option<string> Sql = Verbs.Text("-c", "one statement instead of a session", "SQL");

    public static readonly Verb Verb = Verbs.Define(
        "psql",
        "a session in a service's database",
        RunAsync,
        Database,
        Sql
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        var state = StackState.RunningOrFail(checkout);
        var database = words.GetValue(Database) ?? "ledger";
        if (!Databases.Contains(database))
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"there is no database '{database}'",
                $"one of: {string.Join(", ", Databases)}"
            );
        }

        string[] command = words.GetValue(Sql) is { } sql ? ["-c", sql] : [];
        string[] where = ["-h", "127.0.0.1", "-p", $"{state.Ports.Postgres}", "-U", Postgres.Superuser, "-d", database];
        var info = new ProcessStartInfo(Tools.Postgres("psql"), [.. where, .. command])
        {
            Environment = { ["PGPASSWORD"] = new Secrets(checkout).PostgresPassword },
        };
        using var process = Process.Start(info)!;
        await process.WaitForExitAsync(cancel);
        return process.ExitCode == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
