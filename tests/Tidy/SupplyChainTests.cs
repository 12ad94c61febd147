using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>What is built is what was reviewed: packages by version and hash, audited where a feed has data.</summary>
public partial class SupplyChainTests
{
    private static readonly Dictionary<string, string> Pins = Pin()
        .Matches(Tree.Read("Directory.Packages.props"))
        .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.OrdinalIgnoreCase);

    [Fact]
    public void Fault_18_every_project_locks_the_packages_it_asks_for_at_their_pins()
    {
        foreach (var project in Project.All)
        {
            var file = $"{project.Folder}/packages.lock.json";
            Assert.True(Tree.Exists(file), $"{file} is missing: dotnet restore LocalPlus.sln writes it");
            var locked = Packages(file).Where(p => p.Value.Text("type") is "Direct" or "CentralTransitive").ToArray();
            var direct = locked.Where(p => p.Value.Text("type") == "Direct").Select(p => p.Key).ToHashSet();
            Tree.Holds(project.Packages.Where(p => !direct.Contains(p)).Select(p => $"{file} lacks {p}"));
            Tree.Holds(
                from package in locked
                where Pins.TryGetValue(package.Key, out var pin) && pin != package.Value.Text("resolved")
                select $"{file} has {package.Key} {package.Value.Text("resolved")}, the pin is {Pins[package.Key]}"
            );
        }
    }

    [Fact]
    public void Fault_18_every_locked_package_has_a_hash() =>
        Tree.Holds(
            from project in Project.All
            let file = $"{project.Folder}/packages.lock.json"
            from package in Packages(file)
            where package.Value.Text("type") != "Project" && package.Value.Text("contentHash").Length == 0
            select $"{file}: {package.Key}"
        );

    [Theory]
    [InlineData("<NuGetAudit>true</NuGetAudit>")]
    [InlineData("<NuGetAuditMode>all</NuGetAuditMode>")]
    [InlineData("<RestorePackagesWithLockFile>true</RestorePackagesWithLockFile>")]
    [InlineData("<RestoreLockedMode Condition=\"'$(CI)' == 'true'\">true</RestoreLockedMode>")]
    public void Fault_18_packages_are_audited_and_locked_in_every_build(string setting)
    {
        Assert.Contains(setting, Tree.Read("Directory.Build.props"), StringComparison.Ordinal);
        Tree.Holds(
            Tree.Offences(
                Tree.Files.Where(f => f.EndsWith("proj", StringComparison.Ordinal)),
                line => Loosened().IsMatch(line)
            )
        );
    }

    private static IEnumerable<KeyValuePair<string, JsonNode>> Packages(string file) =>
        JsonNode.Parse(Tree.Read(file))!["dependencies"]!
            .AsObject()
            .SelectMany(target => target.Value!.AsObject())
            .Select(p => KeyValuePair.Create(p.Key, p.Value!));

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\" Version=\"([^\"]+)\"")]
    private static partial Regex Pin();

    [GeneratedRegex("NuGetAudit|RestoreLockedMode|RestorePackagesWithLockFile")]
    private static partial Regex Loosened();
}

internal static class JsonText
{
    public static string Text(this JsonNode node, string name) => node[name]?.ToString() ?? "";
}
