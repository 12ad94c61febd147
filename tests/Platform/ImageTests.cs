using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// The image of a service: one pattern, its bases named by digest, its parts listed; built and looked into where a
/// container engine answers.
/// </summary>
public partial class ImageTests(ITestOutputHelper output)
{
    private const string User = "1654";
    private static readonly string Dockerfile = Repository.Read("eng/docker/Dockerfile");

    [Fact]
    public void Bases_are_named_by_digest_and_both_ways_to_build_have_the_same()
    {
        Assert.All(
            Base().Matches(Dockerfile).Select(m => m.Groups[1].Value),
            image => Assert.Matches("@sha256:[0-9a-f]{64}$", image)
        );
        Assert.All(
            From().Matches(Dockerfile).Select(m => m.Groups[1].Value),
            from => Assert.Contains(from, (string[])["${SDK}", "${RUNTIME}"])
        );
        var runtime = Base()
            .Matches(Dockerfile)
            .Single(m => m.Value.StartsWith("ARG RUNTIME", StringComparison.Ordinal));
        Assert.Contains("chiseled", runtime.Value, StringComparison.Ordinal);
        var targets = Repository.Read("Directory.Build.targets");
        Assert.Contains(
            $"<ContainerBaseImage>{runtime.Groups[1].Value}</ContainerBaseImage>",
            targets,
            StringComparison.Ordinal
        );
        Assert.Contains($"<ContainerUser>{User}</ContainerUser>", targets, StringComparison.Ordinal);
        Assert.Contains($"\nUSER {User}:{User}\n", Dockerfile, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "\nRUN ",
            Dockerfile[Dockerfile.IndexOf("FROM ${RUNTIME}", StringComparison.Ordinal)..],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_user_of_the_image_is_the_user_of_the_pod() =>
        Assert.All(
            Chart.Pods(Chart.Environment("prod")),
            p => Assert.Equal(User, p.Pod.Text("spec.securityContext.runAsUser"))
        );

    [Fact]
    public void An_image_says_what_it_is_and_whence() =>
        Assert.All(
            ["title", "vendor", "source", "version", "revision"],
            label => Assert.Contains($"org.opencontainers.image.{label}=", Dockerfile, StringComparison.Ordinal)
        );

    [Fact]
    public void A_list_of_parts_names_every_package_that_a_service_is_made_of()
    {
        var folder = Directory.CreateTempSubdirectory("sbom-");
        try
        {
            Assert.True(Run("dotnet", "tool", "restore").Code == 0, "CycloneDX could not be restored");
            var made = Run(
                "dotnet",
                "dotnet-CycloneDX",
                Repository.At("services/analytics/LocalPlus.Analytics.csproj"),
                "--output",
                folder.FullName,
                "--filename",
                "bom.json",
                "--output-format",
                "Json",
                "--base-intermediate-output-path",
                Repository.At("artifacts")
            );
            Assert.True(made.Code == 0, made.Output + made.Error);
            var listed = JsonNode
                .Parse(File.ReadAllText(Path.Combine(folder.FullName, "bom.json")))
                .Items("components")
                .Select(c => c.Text("name"))
                .ToHashSet(StringComparer.OrdinalIgnoreCase);
            var locked = JsonNode.Parse(Repository.Read("services/analytics/packages.lock.json"))!["dependencies"]![
                "net10.0"
            ]!
                .AsObject()
                .Where(d => d.Value.Text("type") is "Direct" or "Transitive")
                .Select(d => d.Key)
                // They judge the code and are not in it.
                .Where(name => !name.Contains("Analyzer", StringComparison.Ordinal))
                .Where(name => !name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));
            Assert.Subset(listed, locked.ToHashSet(StringComparer.OrdinalIgnoreCase));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Where_an_engine_answers_the_image_is_built_and_is_as_it_should_be()
    {
        var engine = Run("docker", "version", "--format", "{{.Server.Version}}");
        if (engine.Code != 0)
        {
            output.WriteLine($"No container engine answers, so no image was built: {engine.Error.Trim()}");
            return;
        }

        foreach (var image in Base().Matches(Dockerfile).Select(m => m.Groups[1].Value))
        {
            var pulled = Run("docker", "pull", "--quiet", image);
            if (pulled.Code != 0)
            {
                output.WriteLine($"{image} can not be had, so no image was built: {pulled.Error.Trim()}");
                return;
            }
        }

        const string Tag = "localplus-test/svc-analytics";
        var built = Run(
            "docker",
            "build",
            "--quiet",
            "--file",
            Repository.At("eng/docker/Dockerfile"),
            "--build-arg",
            "SERVICE=analytics",
            "--tag",
            Tag,
            Repository.Root
        );
        Assert.True(built.Code == 0, built.Error);
        var image1 = JsonNode.Parse(Run("docker", "image", "inspect", Tag).Output)![0]!;
        Assert.Equal($"{User}:{User}", image1.Text("Config.User"));
        Assert.NotEqual(0, Run("docker", "run", "--rm", "--entrypoint", "/bin/sh", Tag, "-c", "true").Code);

        // Without a sidecar it can not start, and says so: it ran, with nothing that it could write to.
        var ran = Run(
            "docker",
            "run",
            "--rm",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--network",
            "none",
            Tag,
            "no-such-verb"
        );
        Assert.Contains("sidecar", ran.Output + ran.Error, StringComparison.OrdinalIgnoreCase);
    }

    private static Tools.Result Run(string program, params string[] arguments)
    {
        try
        {
            return Tools.Program(program, arguments);
        }
        catch (InvalidOperationException missing)
        {
            return new Tools.Result(127, "", missing.Message);
        }
    }

    [GeneratedRegex(@"^ARG (?:SDK|RUNTIME)=(\S+)$", RegexOptions.Multiline)]
    private static partial Regex Base();

    [GeneratedRegex(@"^FROM (\S+)", RegexOptions.Multiline)]
    private static partial Regex From();
}
