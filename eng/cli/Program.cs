namespace LocalPlus.Cli;

internal static class Program
{
    private static Task<int> Main(string[] args) =>
        Shell.MainAsync("./localplus", args, cancel => Verbs.RunAsync(args, cancel));
}
