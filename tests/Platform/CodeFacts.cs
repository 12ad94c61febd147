using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>What services/*.cs say about Dapr, jobs and the gateway, read from their text.</summary>
internal static partial class CodeFacts
{
    /// <summary>String literals that have the shape of a component's name.</summary>
    public static IEnumerable<(string File, string Name)> ComponentNames() =>
        from file in Repository.Sources("services").Concat(Repository.Sources("workflows"))
        from Match match in ComponentName().Matches(File.ReadAllText(file))
        select (Path.GetRelativePath(Repository.Root, file), match.Groups[1].Value);

    /// <summary>Apps that a service invokes through its sidecar.</summary>
    public static IEnumerable<string> Invocations(string app) => Arguments(app, Invocation());

    /// <summary>Topics whose events a service handles.</summary>
    public static IEnumerable<string> Topics(string app) => Arguments(app, Topic());

    /// <summary>Topics that a service publishes: a constant of that name.</summary>
    public static IEnumerable<string> PublishedTopics(string app) =>
        Repository.Sources($"services/{app}").SelectMany(f => Published().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value).Distinct();

    /// <summary>Verb and path of what a service lets other services call through their sidecars.</summary>
    public static IEnumerable<(string Verb, string Path)> InternalEndpoints(string app) =>
        Repository.Sources($"services/{app}").SelectMany(f => Internal().Matches(File.ReadAllText(f)))
            .Select(m => (m.Groups[1].Value.ToUpperInvariant(), $"/internal{m.Groups[2].Value}"));

    /// <summary>Paths below /internal that a service calls.</summary>
    public static IEnumerable<string> InternalCalls(string app) =>
        Repository.Sources($"services/{app}").SelectMany(f => InternalCall().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value);

    /// <summary>Jobs that a service runs as "job NAME".</summary>
    public static IEnumerable<string> Jobs(string app) => Arguments(app, Job());

    /// <summary>Public paths that a service maps: Program.cs says which group a slice joins, the slice says the path.</summary>
    public static IEnumerable<string> PublicPaths(string app)
    {
        if (!File.Exists(Repository.At($"services/{app}/Program.cs")))
        {
            yield break;
        }

        var program = Repository.Read($"services/{app}/Program.cs");
        var groups = Group().Matches(program).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        foreach (Match joined in Joined().Matches(program))
        {
            var kind = joined.Groups[1].Success ? joined.Groups[1].Value : groups.GetValueOrDefault(joined.Groups[2].Value);
            var prefix = kind switch { "MerchantApi" or "AdminApi" => "/v1", "OperatorApi" => "/ops/v1", _ => null };
            var slice = Repository.Sources($"services/{app}").Select(File.ReadAllText)
                .FirstOrDefault(text => text.Contains($"void {joined.Groups[3].Value}(this", StringComparison.Ordinal));
            foreach (var path in prefix is null || slice is null ? [] : Mapped().Matches(slice).Select(m => m.Groups[1].Value))
            {
                yield return prefix + path;
            }
        }
    }

    /// <summary>The literal or constant that a call has as its argument, wherever the service makes that call.</summary>
    private static IEnumerable<string> Arguments(string app, Regex call)
    {
        var texts = Repository.Sources($"services/{app}").Select(File.ReadAllText).ToArray();
        var constants = texts.SelectMany(t => Constant().Matches(t)).ToLookup(m => m.Groups[1].Value, m => m.Groups[2].Value);
        foreach (var match in texts.SelectMany(t => call.Matches(t)))
        {
            if (match.Groups[1].Success)
            {
                yield return match.Groups[1].Value;
                continue;
            }

            var name = match.Groups[2].Value.Split('.')[^1];
            yield return constants[name].FirstOrDefault()
                ?? throw new InvalidOperationException($"services/{app}: {match.Value} names no constant of this service");
        }
    }

    [GeneratedRegex("\"((?:taskqueue-[a-z]+)|pubsub|broadcast|cachestore|statestore|workflowstore|secretstore|smtp|sms)\"")]
    private static partial Regex ComponentName();

    [GeneratedRegex(@"(?:PeerClient\.Create|CreateInvocationInvoker)\(\s*(?:appId:\s*)?(?:""([a-z]+)""|([A-Z][\w.]*))")]
    private static partial Regex Invocation();

    [GeneratedRegex(@"\.MapEvents?(?:<[^>]+>)?\(\s*(?:""([^""]+)""|([A-Z][\w.]*))")]
    private static partial Regex Topic();

    [GeneratedRegex(@"\.AddJob<[^>]+>\(\s*(?:""([^""]+)""|([A-Z][\w.]*))")]
    private static partial Regex Job();

    [GeneratedRegex(@"const string Topic = ""([^""]+)""")]
    private static partial Regex Published();

    [GeneratedRegex(@"intern\.Map(Get|Post|Put|Patch|Delete)\(\s*""(/[^""]*)""")]
    private static partial Regex Internal();

    [GeneratedRegex("\"(/internal/[^\"]+)\"")]
    private static partial Regex InternalCall();

    [GeneratedRegex(@"const string (\w+) = ""([^""]+)""")]
    private static partial Regex Constant();

    [GeneratedRegex(@"var (\w+) = app\.Map(\w+)\(\);")]
    private static partial Regex Group();

    [GeneratedRegex(@"(?:app\.Map(\w+)\(\)|\b(\w+))\.(Map\w+)\(")]
    private static partial Regex Joined();

    [GeneratedRegex(@"\.Map(?:Get|Post|Put|Patch|Delete)\(\s*""(/[^""]*)""")]
    private static partial Regex Mapped();
}
