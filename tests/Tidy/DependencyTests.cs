using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class DependencyTests
{
    private const string Kernel = "services/common/LocalPlus.Kernel/LocalPlus.Kernel.csproj";
    private const string Hosting = "services/common/LocalPlus.Hosting/LocalPlus.Hosting.csproj";
    private const string Contracts = "contracts/LocalPlus.Contracts.csproj";
    private const string Servers = "eng/servers/LocalPlus.Servers.csproj";
    private const string Workflows = "workflows/LocalPlus.Workflows/LocalPlus.Workflows.csproj";

    /// <summary>The service whose data a workflow changes runs it (ADR 0004).</summary>
    private const string WorkflowOwner = "giftcard";

    /// <summary>What a stand-in may use beside .NET itself.</summary>
    private static readonly string[] CompatPackages =
    [
        "Dapr.Client",
        "Dapr.Workflow",
        "Grpc.AspNetCore",
        "MailKit",
        "Microsoft.EntityFrameworkCore.InMemory",
        "Npgsql",
        "OpenIddict.EntityFrameworkCore",
        "OpenIddict.Server.AspNetCore",
        "OpenTelemetry",
        "OpenTelemetry.Exporter.OpenTelemetryProtocol",
        "YamlDotNet",
    ];

    [Fact]
    public void Kernel_leans_on_nothing_and_hosting_on_kernel_alone()
    {
        var kernel = Project.All.Single(p => p.Path == Kernel);
        Assert.Empty(kernel.Projects);
        Assert.Empty(kernel.Packages);
        Assert.Equal([Kernel], Project.All.Single(p => p.Path == Hosting).Projects);
    }

    [Fact]
    public void A_service_leans_on_what_is_shared_and_never_on_another_service()
    {
        foreach (var project in Project.All.Where(p => Tree.Services.Any(s => Project.IsIn(p.Path, $"services/{s}"))))
        {
            string[] allowed = Project.IsIn(project.Path, $"services/{WorkflowOwner}")
                ? [Kernel, Hosting, Contracts, Workflows]
                : [Kernel, Hosting, Contracts];
            Assert.Subset(allowed.ToHashSet(), project.Projects.ToHashSet());
        }
    }

    [Fact]
    public void Workflow_definitions_lean_on_kernel_and_the_workflow_SDK_alone()
    {
        foreach (var project in Project.All.Where(p => Project.IsIn(p.Path, "workflows")))
        {
            Assert.Subset(new HashSet<string> { Kernel }, project.Projects.ToHashSet());
            Assert.Equal(["Dapr.Workflow"], project.Packages);
        }
    }

    [Fact]
    public void Nothing_leans_on_tests()
    {
        foreach (var project in Project.All.Where(p => !p.IsTest))
        {
            Assert.DoesNotContain(
                project.Projects,
                p =>
                    p.StartsWith("tests/", StringComparison.Ordinal)
                    || p.StartsWith("compat/tests/", StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public void Stand_ins_lean_on_little_and_on_nothing_of_ours()
    {
        foreach (var project in Project.All.Where(p => Project.IsIn(p.Path, "compat") && !p.IsTest))
        {
            Assert.Subset(CompatPackages.ToHashSet(), project.Packages.ToHashSet());
            Assert.All(project.Projects, p => Assert.StartsWith("compat/", p, StringComparison.Ordinal));
        }
    }

    /// <summary>Tests, benches and the command line tool start servers with it, so it brings nobody anything.</summary>
    [Fact]
    public void The_starter_of_servers_leans_on_nothing()
    {
        var servers = Project.All.Single(p => p.Path == Servers);
        Assert.Empty(servers.Projects);
        Assert.Empty(servers.Packages);
    }

    [Fact]
    public void Servers_are_started_in_one_place() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Code()
                    .Where(f =>
                        !f.StartsWith("eng/", StringComparison.Ordinal)
                        && !f.StartsWith("tests/Tidy/", StringComparison.Ordinal)
                    ),
                line =>
                    line.Contains("\"valkey-server\"", StringComparison.Ordinal)
                    || line.Contains("\"initdb\"", StringComparison.Ordinal)
                    || line.Contains("/usr/lib/postgresql", StringComparison.Ordinal)
            )
        );

    [Fact]
    public void No_project_bears_the_name_of_an_SDK()
    {
        string[] official = ["Dapr", "Grpc", "Testcontainers"];
        Assert.All(
            Project.All,
            p =>
                Assert.DoesNotContain(
                    official,
                    o => Path.GetFileName(p.Path).Contains($"{o}.", StringComparison.OrdinalIgnoreCase)
                )
        );
    }

    [Fact]
    public void No_project_says_a_version_and_every_central_version_is_used()
    {
        var central = CentralVersion()
            .Matches(Tree.Read("Directory.Packages.props"))
            .Select(m => m.Groups[1].Value)
            .ToHashSet();
        var everywhere = string.Concat(
            Tree.Files.Where(f =>
                    f.EndsWith("proj", StringComparison.Ordinal)
                    || f.EndsWith(".props", StringComparison.Ordinal)
                    || f.EndsWith(".targets", StringComparison.Ordinal)
                )
                .Where(f => f != "Directory.Packages.props")
                .Select(Tree.Read)
        );
        foreach (var project in Project.All)
        {
            Assert.DoesNotMatch("<PackageReference[^>]*Version=", Tree.Read(project.Path));
            Assert.All(project.Packages, p => Assert.Contains(p, central));
        }

        // A pin of something that only comes along with another package says why in a comment.
        var unused = central.Where(c => !everywhere.Contains($"\"{c}\"", StringComparison.Ordinal)).ToArray();
        Assert.All(
            unused,
            u =>
                Assert.Matches(
                    $"<!--[^>]*-->\\s*<PackageVersion Include=\"{Regex.Escape(u)}\"",
                    Tree.Read("Directory.Packages.props")
                )
        );
    }

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\"")]
    private static partial Regex CentralVersion();
}
