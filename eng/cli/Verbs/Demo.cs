namespace LocalPlus.Cli;

internal static class Demo
{
    public static readonly Verb Verb = new("demo", "demo [--break ledger|giftcard|sidecar|valkey]", "the story of a gift card, told and checked", RunAsync)
    {
        Options = ["--break"],
    };

    private static Task<int> RunAsync(Invocation call) => Task.FromResult(ExitCodes.Failed);
}
