using System.CommandLine;
using LocalPlus.Client.Verbs;

namespace LocalPlus.Client;

/// <summary>Everything that people who use LocalPlus can say, for whichever program they say it to.</summary>
internal static class ClientCommands
{
    public static IEnumerable<Command> All() =>
        [
            .. LoginVerbs.All(),
            ProfileVerbs.Command(),
            .. ApiCommands.Nouns(),
            EventResend.Command(),
            RedemptionWatch.Command(),
            ImportFile.Command(),
            RawCall.Command(),
            Completion.Command(),
        ];

    public static void MountOn(Command root) => ApiCommands.MountOn(root, All());
}
