using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>What a verb is called with.</summary>
internal sealed record Invocation(Checkout Checkout, ParseResult Words, CancellationToken Cancel);

/// <summary>The verbs, in the order in which a newcomer needs them.</summary>
internal static class Verbs
{
    private const string Summary = """
        LocalPlus: gift cards and loyalty points on Dapr. Start with `./localplus up`, then `./localplus demo`.

        Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.
        """;

    public static Task<int> RunAsync(string[] args, CancellationToken cancel) => Shell.RunAsync(Root(), args, cancel);

    /// <summary>A verb whose action gets the checkout and its words.</summary>
    public static Verb Define(string name, string summary, Func<Invocation, Task<int>> run, params Symbol[] words)
    {
        var verb = Group(name, summary, words);
        verb.SetAction((result, cancel) => run(new Invocation(Checkout.Find(), result, cancel)));
        return verb;
    }

    /// <summary>A verb of verbs.</summary>
    public static Verb Group(string name, string summary, params Symbol[] words)
    {
        var verb = new Verb(name, summary);
        foreach (var word in words)
        {
            switch (word)
            {
                case Verb part:
                    verb.Subcommands.Add(part);
                    break;
                case Option option:
                    verb.Options.Add(option);
                    break;
                case Argument argument:
                    verb.Arguments.Add(argument);
                    break;
            }
        }

        return verb;
    }

    /// <summary>A whole number above 0.</summary>
    public static Option<int?> Number(string name, string summary)
    {
        var option = new Option<int?>(name) { Description = summary, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, null, out var number) && number > 0))
            {
                result.AddError($"{name} takes a number above 0");
            }
        });
        return option;
    }

    public static Option<string> Text(string name, string summary, string valueName, params string[] onlyOf)
    {
        var option = new Option<string>(name) { Description = summary, HelpName = valueName };
        return onlyOf.Length > 0 ? option.AcceptOnlyFromAmong(onlyOf) : option;
    }

    public static Option<bool> Flag(string name, string summary) => new(name) { Description = summary };

    private static RootCommand Root()
    {
        var root = new RootCommand(Summary);
        Verb[] verbs =
        [
            Up.Verb,
            Demo.Verb,
            Status.Verb,
            Down.Verb,
            Doctor.Verb,
            Test.Verb,
            Bench.Verb,
            Token.Verb,
            Listen.Verb,
            Trigger.Verb,
            Logs.Verb,
            Psql.Verb,
            Job.Verb,
            Swap.Verb,
            Drill.Verb,
            Verify.Verb,
            Ledger.Verb,
            Golden.Verb,
            OpenApi.Verb,
            Supervise.Verb,
        ];
        foreach (var verb in verbs)
        {
            root.Subcommands.Add(verb);
        }

        ClientCommands.MountOn(root);
        return root;
    }
}
