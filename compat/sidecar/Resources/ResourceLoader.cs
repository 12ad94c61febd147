using LocalPlus.Sidecar.Cli;
using YamlDotNet.Core;

namespace LocalPlus.Sidecar.Resources;

/// <summary>Everything the resource folders say to one application.</summary>
public sealed record ResourceSet(
    IReadOnlyList<Component> Components,
    IReadOnlyList<SubscriptionSpec> Subscriptions,
    IReadOnlyList<ResiliencySpec> Resiliency,
    ConfigurationSpec Configuration,
    IReadOnlyList<string> Warnings
);

/// <summary>
/// Reads every *.yaml and *.yml directly in the resource folders. A file that is no YAML is only warned about; two
/// components of one name are an error; what is scoped to other applications, or to another namespace, is left out.
/// </summary>
internal static class ResourceLoader
{
    public static ResourceSet Load(SidecarOptions options)
    {
        var warnings = new List<string>();
        var components = new List<Component>();
        var subscriptions = new List<SubscriptionSpec>();
        var resiliency = new List<ResiliencySpec>();
        foreach (var document in Documents(options, warnings))
        {
            if (
                options.NamespaceIsSet
                && document["metadata"]["namespace"].Text is { Length: > 0 } space
                && space != options.Namespace
            )
            {
                continue;
            }
            switch (document["kind"].Text)
            {
                case "Component":
                    components.Add(Component.From(document));
                    break;
                case "Subscription":
                    subscriptions.Add(SubscriptionSpec.From(document));
                    break;
                case "Resiliency":
                    resiliency.Add(ResiliencySpec.From(document));
                    break;
                default:
                    break;
            }
        }
        var mine = components.Where(c => InScope(c.Scopes)).ToList();
        RefuseDuplicates(mine);
        return new ResourceSet(
            mine,
            [.. subscriptions.Where(s => InScope(s.Scopes))],
            [.. resiliency.Where(r => InScope(r.Scopes))],
            Configuration(options),
            warnings
        );

        bool InScope(IReadOnlyList<string> scopes) =>
            scopes.Count == 0 || scopes.Contains(options.AppId, StringComparer.Ordinal);
    }

    private static IEnumerable<YamlNode> Documents(SidecarOptions options, List<string> warnings)
    {
        foreach (var folder in options.ResourcesPaths)
        {
            var full = Path.GetFullPath(folder, options.WorkingDirectory);
            if (!Directory.Exists(full))
            {
                throw new ComponentException($"failed to load resources: open {folder}: no such file or directory");
            }
            foreach (
                var file in Directory
                    .EnumerateFiles(full)
                    .Where(f =>
                        f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".yml", StringComparison.Ordinal)
                    )
                    .Order(StringComparer.Ordinal)
            )
            {
                IReadOnlyList<YamlNode> documents;
                try
                {
                    documents = YamlNode.ParseAll(File.ReadAllText(file));
                }
                catch (YamlException problem)
                {
                    warnings.Add($"A YAML error occurred while decoding {file}: {problem.Message}");
                    continue;
                }
                foreach (var document in documents.Where(d => d.IsMapping))
                {
                    yield return document;
                }
            }
        }
    }

    private static void RefuseDuplicates(List<Component> components)
    {
        var twice = components.GroupBy(c => c.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
        {
            var list = twice.ToList();
            throw new ComponentException(
                $"failed to load resources: duplicate definition of Component name {Identify(list[0])} with existing {Identify(list[1])}"
            );
        }

        static string Identify(Component c) => $"{c.Name} ({c.Type}/{c.Version})";
    }

    private static ConfigurationSpec Configuration(SidecarOptions options)
    {
        var result = new ConfigurationSpec();
        foreach (var file in options.ConfigFiles)
        {
            var full = Path.GetFullPath(file, options.WorkingDirectory);
            try
            {
                foreach (
                    var document in YamlNode
                        .ParseAll(File.ReadAllText(full))
                        .Where(d => d["kind"].Text is "Configuration")
                )
                {
                    result = ConfigurationSpec.From(document);
                }
            }
            catch (Exception problem) when (problem is IOException or YamlException or UnauthorizedAccessException)
            {
                throw new ComponentException($"error loading configuration: {problem.Message}", problem);
            }
        }
        return result;
    }
}
