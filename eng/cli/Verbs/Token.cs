namespace LocalPlus.Cli;

/// <summary>Prints an operator's token of an hour, nothing else, so that it can stand in a command substitution.</summary>
internal static class Token
{
    public static readonly Verb Verb = new(
        "token", "token [--role viewer|operator|admin] [--subject NAME]", "an operator's token (1 h)", RunAsync)
    {
        Options = ["--role", "--subject"],
    };

    private static Task<int> RunAsync(Invocation call)
    {
        var role = call.Arguments.Option("--role") ?? "viewer";
        if (!Operators.Roles.Contains(role))
        {
            throw CliFailure.Usage($"there is no role '{role}'; there are {string.Join(", ", Operators.Roles)}", "token");
        }

        var subject = call.Arguments.Option("--subject") ?? Environment.UserName;
        Terminal.Say(Operators.Mint(call.Checkout, role, subject));
        return Task.FromResult(ExitCodes.Ok);
    }
}
