using System.CommandLine;
using LocalPlus.Client;

namespace LocalPlus.Standalone;

internal static class Program
{
    private const string Summary = """
        LocalPlus from the command line. Start with `localplus profile set` and `localplus login`.

        Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.
        """;

    private static Task<int> Main(string[] args) =>
        Shell.MainAsync(
            "localplus",
            args,
            cancel =>
            {
                var root = new RootCommand(Summary);
                ClientCommands.MountOn(root);
                return Shell.RunAsync(root, args, cancel);
            }
        );
}
