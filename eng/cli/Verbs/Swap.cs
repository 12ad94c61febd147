using System.CommandLine;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// Renders a cloud's components with the values given and says what is missing before a sidecar would: a value, a
/// secret, a topic. No service is rebuilt; the names are the same everywhere.
/// </summary>
internal static class Swap
{
    private static readonly Argument<string> Cloud = new("cloud")
    {
        Description = "a folder of components/clouds: local, local-kafka, aiven-aws, gcp, azure",
    };
    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "a value that the components ask for (components/values.json)",
        HelpName = "NAME=VALUE",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string> SecretsFile = Verbs.Text(
        "--secrets",
        "what the secret store has, as JSON: entry to a map of keys, or to a text",
        "FILE"
    );
    private static readonly Option<string> TopicsFile = Verbs.Text(
        "--topics",
        "what the broker has, a name a line, as kafka-topics --list says it",
        "FILE"
    );
    private static readonly Option<string> Out = Verbs.Text(
        "--out",
        "where the rendered components go; .localplus/components/CLOUD when nothing is said",
        "FOLDER"
    );

    private static readonly Option<bool> Here = Verbs.Flag(
        "--here",
        "what of it this machine can have, and local's in the place of the rest, for `up --components`"
    );

    public static readonly Verb Verb = Verbs.Define(
        "swap",
        "another cloud's components: rendered, and what is missing",
        RunAsync,
        Cloud,
        Set,
        SecretsFile,
        TopicsFile,
        Out,
        Here
    );

    private static Task<int> RunAsync(Invocation call)
    {
        var (checkout, words, _) = call;
        var cloud = words.GetRequiredValue(Cloud);
        if (!ComponentSet.Clouds(checkout.Root).Contains(cloud))
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"there is no cloud '{cloud}'",
                $"one of {string.Join(", ", ComponentSet.Clouds(checkout.Root))}"
            );
        }

        var set = ComponentSet.Load(checkout.Root, cloud);
        if (words.GetValue(Here))
        {
            var folderHere = Path.GetFullPath(
                words.GetValue(Out) ?? Path.Combine(checkout.State, "components", $"{cloud}-here")
            );
            WriteHere(cloud, set, ComponentSet.Load(checkout.Root, "local"), folderHere);
            return Task.FromResult(ExitCodes.Ok);
        }

        var given = Given(words.GetValue(Set) ?? [], set);
        var onThisMachine = cloud.StartsWith("local", StringComparison.Ordinal);
        var secrets = new Secrets(checkout).Entries(new Ports(0));
        var missing = set.Missing(
                given,
                Needed(secrets, withOwners: !onThisMachine),
                Store(words.GetValue(SecretsFile), onThisMachine ? secrets : null),
                Topics(words.GetValue(TopicsFile))
            )
            .ToArray();
        if (missing.Length > 0)
        {
            Terminal.Table([
                ["MISSING", "NAME", "NEEDED BY"],
                .. missing.Select(part => new[] { part.Kind, part.Name, part.NeededBy }),
            ]);
            throw new CliFailure(
                ExitCodes.NotFound,
                $"{cloud}: {missing.Length} {(missing.Length == 1 ? "part is" : "parts are")} missing",
                Next(missing, set)
            );
        }

        var folder = Path.GetFullPath(words.GetValue(Out) ?? Path.Combine(checkout.State, "components", cloud));
        Write(folder, set.Render(given));
        Terminal.Good($"{cloud}: {set.Names.Count()} components, nothing is missing");
        Terminal.Say(folder);
        return Task.FromResult(ExitCodes.Ok);
    }

    /// <summary>What the cloud has and this machine too; the stack gives them their secrets.</summary>
    private static void WriteHere(string cloud, ComponentSet set, ComponentSet local, string folder)
    {
        var parts = set.Here(local).ToArray();
        var (had, lacking) = (parts.Where(p => p.NotHad is null).ToArray(), parts.Where(p => p.NotHad is not null));
        if (had.Length == 0)
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"{cloud}: this machine can have none of its components",
                $"./localplus swap {cloud}"
            );
        }

        Write(folder, parts.Select(part => (part.Path, part.Text)));
        Terminal.Good($"{cloud}: {had.Length} components as there");
        foreach (var part in lacking)
        {
            Terminal.Say($"  {Path.GetFileNameWithoutExtension(part.Path)} of local in the place of {part.NotHad}");
        }

        Terminal.Say(folder);
    }

    private static Dictionary<string, string> Given(string[] assignments, ComponentSet set)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var assignment in assignments)
        {
            if (assignment.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw CliFailure.Usage($"--set takes NAME=VALUE, not '{assignment}'", "swap");
            }

            if (!set.Values.ContainsKey(name))
            {
                var known = set.Values.Count == 0 ? "it asks for none" : string.Join(", ", set.Values.Keys);
                throw CliFailure.Usage($"no component asks for '{name}': {known}", "swap");
            }

            given[name] = value;
        }

        return given;
    }

    /// <summary>What a mail server asks for that is not on this machine.</summary>
    private static readonly string[] MailLogin = ["mail_password", "mail_user"];

    /// <summary>What each service asks of its entry, and in a cluster each migration of its own.</summary>
    private static IEnumerable<(string Entry, string Key)> Needed(
        Dictionary<string, Dictionary<string, string>> secrets,
        bool withOwners
    ) =>
        Checkout.Apps.SelectMany(app =>
            secrets[app]
                .Keys.Concat(withOwners && app == "notification" ? MailLogin : [])
                .Select(key => (app, key))
                .Concat(withOwners ? [($"{app}-migrations", "database"), ($"{app}-migrations", "app_role")] : [])
        );

    private static JsonElement Store(string? file, Dictionary<string, Dictionary<string, string>>? ours)
    {
        if (file is null)
        {
            return JsonSerializer.SerializeToElement(ours ?? []);
        }

        try
        {
            using var store = JsonDocument.Parse(Read(file));
            return store.RootElement.Clone();
        }
        catch (JsonException notJson)
        {
            throw new CliFailure(ExitCodes.Usage, $"{file} is no JSON: {notJson.Message}", "./localplus help swap");
        }
    }

    private static HashSet<string> Topics(string? file) =>
        file is null
            ? []
            : Read(file)
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .ToHashSet(StringComparer.Ordinal);

    private static string Read(string file) =>
        File.Exists(file)
            ? File.ReadAllText(file)
            : throw new CliFailure(ExitCodes.NotFound, $"there is no file {file}", "./localplus help swap");

    private static string Next(MissingPart[] missing, ComponentSet set) =>
        string.Join(
            "; ",
            missing
                .Select(part => part.Kind)
                .Distinct()
                .Select(kind =>
                    kind switch
                    {
                        ComponentSet.ValueKind => "give the values by --set NAME=VALUE",
                        ComponentSet.TopicKind => "make the topics and say by --topics which there are",
                        _ when set.OneTextASecret =>
                            "put the secrets into the store (a service's entry is one JSON object) and say by "
                                + "--secrets which there are",
                        _ => "put the secrets into the store and say by --secrets which there are",
                    }
                )
        );

    private static void Write(string folder, IEnumerable<(string Path, string Text)> files)
    {
        foreach (var (path, text) in files)
        {
            var target = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, text);
        }
    }
}
