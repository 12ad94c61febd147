using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// Rehearses a recovery on a PostgreSQL of its own and measures what is lost and how long it takes:
/// platform/recovery/drill.sh.
/// </summary>
internal static class Drill
{
    private static readonly Requirement PgBackRest = new(
        "pgBackRest",
        () => Task.FromResult(Tools.Find("pgbackrest")),
        "pgbackrest"
    );

    private static readonly Argument<string> Kind = new Argument<string>("kind")
    {
        Description = "pitr: the machine and its log are lost, then the books are deleted; failover: the primary dies",
    }.AcceptOnlyFromAmong("pitr", "failover");

    private static readonly Argument<int> Megabytes = new("megabytes")
    {
        Description = "how much is in the database",
        DefaultValueFactory = _ => 200,
    };

    public static readonly Verb Verb = Verbs.Define(
        "drill",
        "rehearse a recovery and measure it",
        RunAsync,
        Kind,
        Megabytes
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, cancel) = call;
        await Requirements.EnsureAsync([Requirements.Postgres, PgBackRest], cancel);
        var script = Path.Combine(checkout.Root, "platform", "recovery", "drill.sh");
        var drill = new Command("bash", script, words.GetRequiredValue(Kind), $"{words.GetValue(Megabytes)}")
        {
            WorkingDirectory = "/",
            OnLine = Terminal.Say,
        };
        return (await drill.RunAsync(cancel)).ExitCode;
    }
}
