namespace LocalPlus.Cli;

/// <summary>What a verb is called with.</summary>
internal sealed record Invocation(Checkout Checkout, Arguments Arguments, CancellationToken Cancel);

/// <summary>One verb of ./localplus: flags stand alone, options take a value.</summary>
internal sealed record Verb(string Name, string Usage, string Summary, Func<Invocation, Task<int>> Run)
{
    public string[] Flags { get; init; } = [];

    public string[] Options { get; init; } = [];

    /// <summary>Not shown: called by other verbs only.</summary>
    public bool Hidden { get; init; }
}

/// <summary>The list of verbs, in the order in which a newcomer needs them.</summary>
internal static class Verbs
{
    private static readonly Verb[] All =
    [
        Up.Verb, Demo.Verb, Status.Verb, Down.Verb, Doctor.Verb, Test.Verb, Bench.Verb, Token.Verb, Logs.Verb,
        Psql.Verb, Job.Verb, Verify.Verb, Ledger.Verb, Golden.Verb, OpenApi.Verb, Supervise.Verb, Recordings.Verb,
    ];

    public static async Task<int> RunAsync(string[] args, CancellationToken cancel)
    {
        var name = args.Length == 0 ? "help" : args[0];
        if (name is "help" or "--help" or "-h")
        {
            return Help(args.Length > 1 ? args[1] : null);
        }

        var verb = Array.Find(All, v => v.Name == name)
            ?? throw CliFailure.Usage($"there is no verb '{name}'", "");
        if (args.Contains("--help") || args.Contains("-h"))
        {
            return Help(name);
        }

        var arguments = Arguments.Parse(verb, args[1..]);
        return await verb.Run(new Invocation(Checkout.Find(), arguments, cancel));
    }

    private static int Help(string? name)
    {
        if (name is not null)
        {
            var verb = Array.Find(All, v => v.Name == name) ?? throw CliFailure.Usage($"there is no verb '{name}'", "");
            Terminal.Say($"./localplus {verb.Usage}");
            Terminal.Say($"  {verb.Summary}");
            return ExitCodes.Ok;
        }

        Terminal.Say("LocalPlus: gift cards and loyalty points on Dapr. Start with `./localplus up`, then `./localplus demo`.");
        Terminal.Say("");
        foreach (var verb in All.Where(v => !v.Hidden))
        {
            Terminal.Say($"  {verb.Usage,-58} {verb.Summary}");
        }

        Terminal.Say("");
        Terminal.Say("Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.");
        return ExitCodes.Ok;
    }
}
