using System.Text.RegularExpressions;

namespace LocalPlus.Cli;

/// <summary>
/// The repository's dapr.yaml and components, with this checkout's ports and paths filled in, under .localplus/dapr.
/// `dapr run -f` and the stand-in take the result alike; at offset 0 the repository's own file says the same.
/// </summary>
internal static partial class DaprRunFile
{
    private const string LocalComponents = "components/clouds/local";

    public static void Render(Checkout checkout, Ports ports, StackOptions options)
    {
        var text = File.ReadAllText(Path.Combine(checkout.Root, "dapr.yaml"));
        text = PortLine().Replace(text, m => m.Groups[1].Value + (int.Parse(m.Groups[2].Value, null) + ports.Offset));
        text = text.Replace($"- {LocalComponents}\n", $"- {checkout.DaprFolder}/components\n", StringComparison.Ordinal)
            .Replace("- components/", $"- {checkout.Root}/components/", StringComparison.Ordinal)
            .Replace(
                $"configFilePath: {LocalComponents}/",
                $"configFilePath: {checkout.DaprFolder}/",
                StringComparison.Ordinal
            )
            .Replace("appDirPath: ", $"appDirPath: {checkout.Root}/", StringComparison.Ordinal)
            .Replace("../../.localplus/", $"{checkout.State}/", StringComparison.Ordinal)
            .Replace("http://localhost:5080", ports.GatewayUrl, StringComparison.Ordinal)
            .Replace("http://localhost:5707", ports.IdentityUrl, StringComparison.Ordinal)
            .Replace("/debug/", $"/{options.Configuration.ToLowerInvariant()}/", StringComparison.Ordinal);
        if (!options.BackingOnly)
        {
            // One process hosts all sidecars, and each app has a token of its own. `dapr run` gives its daprd none.
            var secrets = new Secrets(checkout);
            text = EnvOfApp()
                .Replace(text, m => $"{m.Value}APP_API_TOKEN: {secrets.AppApiToken(m.Groups["app"].Value)}, ");
        }

        checkout.WriteText(Path.GetRelativePath(checkout.State, checkout.RunFile), text);

        var chosen = options.Components ?? Path.Combine(checkout.Root, LocalComponents);
        var configured = Path.Combine(checkout.Root, LocalComponents, "config");
        foreach (var (from, to) in new[] { (chosen, "components"), (configured, "config") })
        {
            var target = Path.Combine(checkout.DaprFolder, to);
            if (Directory.Exists(target))
            {
                Directory.Delete(target, recursive: true);
            }

            foreach (var file in Directory.EnumerateFiles(from, "*.yaml"))
            {
                var resource = File.ReadAllText(file)
                    .Replace("../../.localplus/", $"{checkout.State}/", StringComparison.Ordinal);
                checkout.WriteText(Path.Combine("dapr", to, Path.GetFileName(file)), resource);
            }
        }
    }

    [GeneratedRegex("""appID: (?<app>[a-z]+)\n(?:(?!  - appID)[^\n]*\n)*?    env: \{ """)]
    private static partial Regex EnvOfApp();

    [GeneratedRegex("""((?:[pP]ort|PORT): "?)(\d{4,5})""")]
    private static partial Regex PortLine();
}
