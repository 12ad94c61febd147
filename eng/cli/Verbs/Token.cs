using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>
/// Prints an operator's token of an hour, nothing else, so that it can stand in a command substitution.
/// </summary>
internal static class Token
{
    private static readonly Option<string> Role = Verbs.Text(
        "--role",
        "what it may: viewer when nothing is said",
        "ROLE",
        Operators.Roles
    );
    private static readonly Option<string> Subject = Verbs.Text(
        "--subject",
        "in whose name: yours when nothing is said",
        "NAME"
    );

    public static readonly Verb Verb = Verbs.Define("token", "an operator's token (1 h)", RunAsync, Role, Subject);

    private static Task<int> RunAsync(Invocation call)
    {
        var subject = call.Words.GetValue(Subject) ?? Environment.UserName;
        Terminal.Say(Operators.Mint(call.Checkout, call.Words.GetValue(Role) ?? "viewer", subject));
        return Task.FromResult(ExitCodes.Ok);
    }
}
