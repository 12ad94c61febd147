using System.CommandLine;
using LocalPlus.Client.Output;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Client.Verbs;

/// <summary>Options that many verbs have; each is one object, whoever has it.</summary>
internal static class Common
{
    public const int DefaultInterval = 2;

    public static readonly Option<string> Profile = Text("--profile", "which profile; see `profile list`", "NAME");
    public static readonly Option<string> Key = Text(
        "--key",
        "an API key; LOCALPLUS_API_KEY or the profile's when nothing is said",
        "KEY"
    );
    public static readonly Option<string> Gateway = Text(
        "--gateway",
        "where the API is; the profile's when nothing is said",
        "URL"
    );
    public static readonly Option<string> Role = new Option<string>("--role")
    {
        Description = "local stack: as an operator of this role, without a sign-in",
        HelpName = "ROLE",
    }.AcceptOnlyFromAmong(OperatorToken.Roles);
    public static readonly Option<bool> Person = new("--person")
    {
        Description = "as whoever signed in, in place of the API key",
    };
    public static readonly Option<OutputFormat> Output = new Option<OutputFormat>("-o", "--output")
    {
        Description = "table, json (the API's own) or csv",
        HelpName = "FORMAT",
        CustomParser = result => Enum.Parse<OutputFormat>(result.Tokens[0].Value, ignoreCase: true),
    }.AcceptOnlyFromAmong("table", "json", "csv");
    public static readonly Option<bool> Watch = new("-w", "--watch") { Description = "again and again, until Ctrl-C" };
    public static readonly Option<int> Interval = new("--interval")
    {
        Description = $"seconds between two looks; {DefaultInterval} when nothing is said",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => DefaultInterval,
        Validators =
        {
            result =>
            {
                if (
                    result.Tokens is [var token]
                    && !(int.TryParse(token.Value, null, out var n) && n is > 0 and <= 3600)
                )
                {
                    result.AddError("--interval takes 1 to 3600 seconds");
                }
            },
        },
    };
    public static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "show what would be sent, or what the API says would be done",
    };
    public static readonly Option<string> IdempotencyKey = Text(
        "--idempotency-key",
        "of a try whose outcome is unknown; a new one when nothing is said",
        "KEY"
    );

    /// <summary>Where to and as whom.</summary>
    public static readonly Option[] Caller = [Profile, Key, Gateway, Role, Person];

    public static Option<string> Text(string name, string summary, string valueName) =>
        new(name) { Description = summary, HelpName = valueName };

    public static Command With(this Command command, params IEnumerable<Symbol> parts)
    {
        foreach (var part in parts)
        {
            switch (part)
            {
                case Command verb:
                    command.Subcommands.Add(verb);
                    break;
                case Option option:
                    command.Options.Add(option);
                    break;
                case Argument argument:
                    command.Arguments.Add(argument);
                    break;
            }
        }

        return command;
    }
}
