using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// Rehearses a recovery and measures what is lost and how long it takes: of PostgreSQL alone with payments of its own
/// (platform/recovery/drill.sh), or of a whole stack that sells (<see cref="StackDrills"/>). The evidence stays in
/// .localplus/drills.
/// </summary>
internal static class Drill
{
    private static readonly string[] OfPostgres = ["pitr", "failover"];
    private static readonly string[] OfAStack = ["valkey", "broker", "region"];

    private static readonly JsonSerializerOptions OneLine = new(Checkout.Json) { WriteIndented = false };

    private static readonly Requirement PgBackRest = new(
        "pgBackRest",
        () => Task.FromResult(Tools.Find("pgbackrest")),
        "pgbackrest"
    );

    private static readonly Argument<string> Kind = new Argument<string>("kind")
    {
        Description =
            "pitr: the machine and its log are lost, then the books are deleted; failover: the primary dies; "
            + "valkey: it is killed; broker: and its data is gone; region: all is gone but what is kept elsewhere",
    }.AcceptOnlyFromAmong([.. OfPostgres, .. OfAStack]);

    private static readonly Argument<int> Megabytes = new("megabytes")
    {
        Description = "how much is in the database (pitr and failover)",
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
        var kind = call.Words.GetRequiredValue(Kind);
        return OfPostgres.Contains(kind) ? await PostgresAsync(call, kind) : await StackAsync(call, kind);
    }

    private static async Task<int> PostgresAsync(Invocation call, string kind)
    {
        var (checkout, words, cancel) = call;
        await Requirements.EnsureAsync([Requirements.Postgres, PgBackRest], cancel);
        var script = Path.Combine(checkout.Root, "platform", "recovery", "drill.sh");
        var said = new List<string>();
        var drill = new Command("bash", script, kind, $"{words.GetValue(Megabytes)}")
        {
            WorkingDirectory = "/",
            OnLine = line =>
            {
                said.Add(line);
                Terminal.Say(line);
            },
        };
        var result = await drill.RunAsync(cancel);
        Keep(checkout, kind, string.Join('\n', said.Where(line => line.StartsWith('{'))));
        return result.ExitCode;
    }

    private static async Task<int> StackAsync(Invocation call, string kind)
    {
        var (checkout, _, cancel) = call;
        await Requirements.EnsureAsync(Requirements.Stack, cancel);
        var result = await StackDrills.RunAsync(checkout, kind, cancel);
        var text = JsonSerializer.Serialize(result, OneLine);
        Terminal.Say(text);
        Keep(checkout, kind, text);
        return result.GoalsMet
            ? ExitCodes.Ok
            : throw new CliFailure(ExitCodes.Failed, $"the goals of {kind} are missed", "platform/recovery/README.md");
    }

    /// <summary>What was measured, when, by itself on a line.</summary>
    private static void Keep(Checkout checkout, string kind, string text)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"{DateTimeOffset.UtcNow:yyyyMMdd'T'HHmmss'Z'}-{kind}.json"
        );
        checkout.MakeState();
        checkout.WriteText(Path.Combine("drills", name), text + "\n");
        Terminal.Say($"evidence: {Path.Combine(checkout.State, "drills", name)}");
    }
}
