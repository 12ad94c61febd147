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
            .Select(noun => new Command(noun.Key, ApiTable.Nouns[noun.Key]).With(Verbs(noun)));

    /// <summary>A name of two words is a verb of a group: `bulk list` of `runs`.</summary>
    private static IEnumerable<Command> Verbs(IEnumerable<ApiVerb> noun)
    {
        foreach (var group in noun.GroupBy(verb => verb.GroupName))
        {
            if (group.Key is { } name)
            {
                yield return new Command(name, ApiTable.Groups[name]).With(group.Select(Command));
            }
            else
            {
                foreach (var verb in group)
                {
                    yield return Command(verb);
                }
            }
        }
    }

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
        var command = new Command(verb.LastName, verb.Summary).With(words.Arguments).With(words.Options);
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
