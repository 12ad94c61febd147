using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>The umbrella chart, rendered from a copy, so that building it leaves nothing in the checkout.</summary>
internal static class Chart
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Renders = new();
    private static readonly Lazy<string> Built = new(Build);

    public static string[] Environments { get; } = ["dev", "staging", "prod"];

    /// <summary>Values files, relative to the chart: the three environments and the permutations in ci/.</summary>
    public static string[] ValuesFiles { get; } =
    [
        .. Environments.Select(e => $"values-{e}.yaml"),
        .. Directory.GetFiles(Repository.At("charts/localplus/ci")).Select(f => $"ci/{Path.GetFileName(f)}").Order(),
    ];

    /// <summary>Names in values.yaml under services: the Dapr app ids on Kubernetes.</summary>
    public static JsonObject Values { get; } = Yaml.Load(Repository.At("charts/localplus/values.yaml")).Single();

    public static string[] Apps { get; } = [.. Values["services"]!.AsObject().Select(p => p.Key).Order()];

    /// <summary>Stands for the file in which a release says which images production gets.</summary>
    private const string Images = "ci/images-values.yaml";

    public static Tools.Result Lint(string valuesFile) =>
        Tools.Helm(["lint", "--strict", "--quiet", Built.Value, .. Files(valuesFile)]);

    public static Tools.Result Template(string valuesFile, params string[] more) =>
        Tools.Helm(["template", "localplus", Built.Value, "--namespace", "localplus", .. Files(valuesFile), .. more]);

    /// <summary>The same without a release's images, or with those of another file.</summary>
    public static Tools.Result TemplateAlone(string valuesFile, params string[] more) =>
        Tools.Helm([
            "template",
            "localplus",
            Built.Value,
            "--namespace",
            "localplus",
            "-f",
            Path.Combine(Built.Value, valuesFile),
            .. more.SelectMany(file => new[] { "-f", file }),
        ]);

    private static string[] Files(string valuesFile)
    {
        string[] files = valuesFile == "values-prod.yaml" ? [valuesFile, Images] : [valuesFile];
        return [.. files.SelectMany(file => new[] { "-f", Path.Combine(Built.Value, file) })];
    }

    public static string Text(string valuesFile) =>
        Renders
            .GetOrAdd(
                valuesFile,
                v => new Lazy<string>(() =>
                {
                    var result = Template(v);
                    Assert.True(result.Code == 0, result.Error);
                    return result.Output;
                })
            )
            .Value;

    public static JsonObject[] Objects(string valuesFile) => Yaml.Parse(Text(valuesFile));

    public static JsonObject[] Environment(string environment) => Objects($"values-{environment}.yaml");

    /// <summary>A file that holds the render, for tools that read files.</summary>
    public static string RenderedFile(string valuesFile)
    {
        var file = Path.Combine(Path.GetDirectoryName(Built.Value)!, $"rendered-{valuesFile.Replace('/', '-')}");
        File.WriteAllText(file, Text(valuesFile));
        return file;
    }

    /// <summary>The pod templates in a render, by "Kind/name".</summary>
    public static IEnumerable<(string Owner, JsonNode Pod)> Pods(JsonObject[] objects) =>
        objects
            .Select(o =>
                (
                    Owner: $"{o.Kind()}/{o.Name()}",
                    Pod: o.Kind() == "CronJob" ? o.At("spec.jobTemplate.spec.template") : o.At("spec.template")
                )
            )
            .Where(p => p.Pod is not null)
            .Select(p => (p.Owner, p.Pod!));

    private static string Build()
    {
        var copy = Repository.At("artifacts/charts");
        if (Directory.Exists(copy))
        {
            Directory.Delete(copy, recursive: true);
        }

        foreach (var chart in new[] { "service", "localplus" })
        {
            foreach (var file in Directory.GetFiles(Repository.At($"charts/{chart}"), "*", SearchOption.AllDirectories))
            {
                if (file.EndsWith(".tgz", StringComparison.Ordinal))
                {
                    continue;
                }

                var target = Path.Combine(copy, Path.GetRelativePath(Repository.At("charts"), file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }

        var built = Tools.Helm("dependency", "build", Path.Combine(copy, "localplus"));
        Assert.True(built.Code == 0, built.Error);
        return Path.Combine(copy, "localplus");
    }
}
