using System.CommandLine;
using LocalPlus.Client.Profiles;
using LocalPlus.Client.Verbs;

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
        OperatorToken.Roles
    );
    private static readonly Option<string> Subject = Verbs.Text(
        "--subject",
        "in whose name: yours when nothing is said",
        "NAME"
    );

    private static readonly Option<bool> Device = Verbs.Flag(
        "--device",
        "of whoever confirms a code in a browser, in place of one that this machine makes"
    );

    public static readonly Verb Verb = Verbs.Define(
        "token",
        "an operator's token (1 h)",
        RunAsync,
        Role,
        Subject,
        Device
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        if (call.Words.GetValue(Device))
        {
            var local =
                LocalProfile.Find()
                ?? throw new CliFailure(ExitCodes.NotFound, "no stack was started here yet", "./localplus up");
            Terminal.Say((await LoginVerbs.SignInAsync(local, call.Cancel)).AccessToken);
            return ExitCodes.Ok;
        }

        var subject = call.Words.GetValue(Subject) ?? Environment.UserName;
        Terminal.Say(Operators.Mint(call.Checkout, call.Words.GetValue(Role) ?? "viewer", subject));
        return ExitCodes.Ok;
    }
}
