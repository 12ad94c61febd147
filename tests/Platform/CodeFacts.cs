using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>What services/*.cs say about Dapr and the gateway, read from their text.</summary>
internal static partial class CodeFacts
{
    /// <summary>String literals that have the shape of a component's name.</summary>
    public static IEnumerable<(string File, string Name)> ComponentNames() =>
        from file in Repository.Sources("services").Concat(Repository.Sources("workflows"))
        from Match match in ComponentName().Matches(File.ReadAllText(file))
        select (Path.GetRelativePath(Repository.Root, file), match.Groups[1].Value);

    /// <summary>Apps that a service invokes through its sidecar.</summary>
    public static IEnumerable<string> Invocations(string app) =>
        from file in Repository.Sources($"services/{app}")
        from Match match in Invocation().Matches(File.ReadAllText(file))
        select match.Groups[1].Value;

    /// <summary>Topics whose events a service handles.</summary>
    public static IEnumerable<string> Topics(string app) =>
        from file in Repository.Sources($"services/{app}")
        from Match match in Topic().Matches(File.ReadAllText(file))
        select match.Groups[1].Value;

    /// <summary>Absolute public paths that a service maps; group-relative ones get the group's prefix.</summary>
    public static IEnumerable<string> MappedPaths(string app) =>
        from file in Repository.Sources($"services/{app}")
        let text = File.ReadAllText(file)
        from Match match in Mapped().Matches(text)
        let path = match.Groups[2].Value
        where !InternalGroup().IsMatch(match.Groups[1].Value)
        let prefix = OperatorGroup().IsMatch(match.Groups[1].Value) ? "/ops/v1" : "/v1"
        select path.StartsWith("/v1", StringComparison.Ordinal) || path.StartsWith("/ops", StringComparison.Ordinal) ? path : prefix + path;

    [GeneratedRegex("\"((?:taskqueue-[a-z]+)|pubsub|broadcast|cachestore|statestore|workflowstore|secretstore|smtp|sms)\"")]
    private static partial Regex ComponentName();

    [GeneratedRegex(@"Create(?:InvocationInvoker|InvokeHttpClient|InvokableHttpClient)\(\s*(?:appId:\s*)?""([a-z]+)""")]
    private static partial Regex Invocation();

    [GeneratedRegex(@"MapEvent<[^>]+>\(\s*""([^""]+)""")]
    private static partial Regex Topic();

    [GeneratedRegex(@"(\w+)\.Map(?:Get|Post|Put|Patch|Delete)\(\s*""(/[^""]*)""")]
    private static partial Regex Mapped();

    [GeneratedRegex("(?i)intern|event|app$")]
    private static partial Regex InternalGroup();

    [GeneratedRegex("(?i)ops|operator")]
    private static partial Regex OperatorGroup();
}
