using System.CommandLine;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Client.Verbs;

/// <summary>Commands from the table: a noun with its verbs.</summary>
internal static class ApiCommands
{
    public static IEnumerable<Command> Nouns() =>
        ApiTable
            .Verbs.GroupBy(verb => verb.Noun)
            .OrderBy(noun => noun.Key, StringComparer.Ordinal)
            .Select(noun => new Command(noun.Key, ApiTable.Nouns[noun.Key]).With(noun.Select(Command)));

    /// <summary>Adds commands to a root; what has the name of one that is there gives it its verbs.</summary>
    public static void MountOn(Command root, IEnumerable<Command> commands)
    {
        foreach (var command in commands)
        {
            if (root.Subcommands.FirstOrDefault(c => c.Name == command.Name) is { } known)
            {
                known.With(command.Subcommands.Where(part => known.Subcommands.All(c => c.Name != part.Name)));
            }
            else
            {
                root.Subcommands.Add(command);
            }
        }
    }

    private static Command Command(ApiVerb verb)
    {
        var words = new VerbWords(verb);
        var command = new Command(verb.Name, verb.Summary).With(words.Arguments).With(words.Options);
        command.SetAction(
            (result, cancel) =>
                verb.Kind switch
                {
                    VerbKind.Write => ApiWrite.RunAsync(verb, words, result, cancel),
                    _ => ApiRead.RunAsync(verb, words, result, cancel),
                }
        );
        return command;
    }
}
