using System.Diagnostics;

namespace LocalPlus.Cli;

/// <summary>A psql session in one of the stack's databases; whatever follows the name goes to psql.</summary>
internal static class Psql
{
    public static readonly Verb Verb = new("psql", "psql [DATABASE] [-c SQL]", "a session in a service's database", RunAsync) { Options = ["-c"] };

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, arguments, cancel) = call;
        var state = StackState.RunningOrFail(checkout);
        var database = arguments.Positions.Count > 0 ? arguments.Positions[0] : "ledger";
        if (!Checkout.Apps.Append("workflow").Contains(database))
        {
            throw new CliFailure(ExitCodes.NotFound, $"there is no database '{database}'", $"one of: {string.Join(", ", Checkout.Apps)}, workflow");
        }

        string[] command = arguments.Option("-c") is { } sql ? ["-c", sql] : [];
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
