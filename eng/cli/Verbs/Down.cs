namespace LocalPlus.Cli;

/// <summary>Stops everything that this checkout runs; the data stays.</summary>
internal static class Down
{
    public static readonly Verb Verb = Verbs.Define("down", "stop everything; the data stays in .localplus/", RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        if (StackState.Last(call.Checkout) is null)
        {
            Terminal.Good("nothing runs");
            return ExitCodes.Ok;
        }

        await Terminal.StepAsync("stopping", _ => Leftovers.StopAsync(call.Checkout, call.Cancel), call.Cancel);
        return ExitCodes.Ok;
    }
}
