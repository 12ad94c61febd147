using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>What services say about Dapr, jobs and the gateway, read from their text and their descriptions.</summary>
internal static partial class CodeFacts
{
    private const string EventPrefix = "/events/";
    private const string DeadLetters = $"{EventPrefix}dead-letter";

    /// <summary>String literals that have the shape of a component's name.</summary>
    public static IEnumerable<(string File, string Name)> ComponentNames() =>
        from file in Repository.Sources("services").Concat(Repository.Sources("workflows"))
        from Match match in ComponentName().Matches(File.ReadAllText(file))
        select (Path.GetRelativePath(Repository.Root, file), match.Groups[1].Value);

    /// <summary>Apps that a service invokes through its sidecar.</summary>
    public static IEnumerable<string> Invocations(string app) => Arguments(app, Invocation());

    /// <summary>Topics whose events a service handles, from its description in contracts/openapi/internal.</summary>
    public static IEnumerable<string> Topics(string app) =>
        InsidePaths(app)
            .Where(path => path.StartsWith(EventPrefix, StringComparison.Ordinal) && path != DeadLetters)
            .Select(path => path[EventPrefix.Length..]);

    /// <summary>Topics that a service publishes: a constant of that name.</summary>
    public static IEnumerable<string> PublishedTopics(string app) =>
        Repository
            .Sources($"services/{app}")
            .SelectMany(f => Published().Matches(File.ReadAllText(f)))
            .Select(m => m.Groups[1].Value)
            .Distinct();

    /// <summary>
    /// Verb and path of what a service lets other services call through their sidecars, and which, from its description
    /// in contracts/openapi/internal.
    /// </summary>
    public static IEnumerable<(string Verb, string Path, string[] Callers)> InternalEndpoints(string app) =>
        from path in Paths($"internal/{app}")
        where path.Key.StartsWith("/internal/", StringComparison.Ordinal)
        from operation in path.Value!.AsObject()
        select (
            operation.Key.ToUpperInvariant(),
            path.Key,
            operation.Value!.Items("security").SelectMany(s => s.Items("sidecar_token")).Select(c => $"{c}").ToArray()
        );

    /// <summary>Paths below /internal that a service calls.</summary>
    public static IEnumerable<string> InternalCalls(string app) =>
        Repository
            .Sources($"services/{app}")
            .SelectMany(f => InternalCall().Matches(File.ReadAllText(f)))
            .Select(m => m.Groups[1].Value);

    /// <summary>Queues whose tasks a service does.</summary>
    public static IEnumerable<string> TaskQueues(string app) =>
        Repository
            .Sources($"services/{app}")
            .SelectMany(f => TaskQueue().Matches(File.ReadAllText(f)))
            .Select(m => m.Groups[1].Value.ToLowerInvariant())
            .Distinct();

    /// <summary>Whether a service keeps caches.</summary>
    public static bool HasCaches(string app) =>
        Repository
            .Sources($"services/{app}")
            .Any(f => File.ReadAllText(f).Contains(".AddCaches()", StringComparison.Ordinal));

    /// <summary>Jobs that a service runs as "job NAME".</summary>
    public static IEnumerable<string> Jobs(string app) => Arguments(app, Job());

    /// <summary>
    /// Paths of the endpoints that a service has when it runs, from its description in contracts/openapi.
    /// </summary>
    public static IEnumerable<string> PublicPaths(string app) =>
        Paths(app)
            .Select(path => path.Key)
            .Where(path =>
                path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/ops/", StringComparison.Ordinal)
            );

    /// <summary>Paths of the endpoints that only other services and the sidecar may reach.</summary>
    public static IEnumerable<string> InsidePaths(string app) => Paths($"internal/{app}").Select(path => path.Key);

    private static JsonObject Paths(string description) =>
        Yaml.Load(Repository.At($"contracts/openapi/{description}.json")).Single()["paths"]!.AsObject();

    /// <summary>
    /// The literal or constant that a call has as its argument, wherever the service makes that call.
    /// </summary>
    private static IEnumerable<string> Arguments(string app, Regex call)
    {
        var texts = Repository.Sources($"services/{app}").Select(File.ReadAllText).ToArray();
        var constants = texts
            .SelectMany(t => Constant().Matches(t))
            .ToLookup(m => m.Groups[1].Value, m => m.Groups[2].Value);
        foreach (var match in texts.SelectMany(t => call.Matches(t)))
        {
            if (match.Groups[1].Success)
            {
                yield return match.Groups[1].Value;
                continue;
            }

            var name = match.Groups[2].Value.Split('.')[^1];
            yield return constants[name].FirstOrDefault()
                ?? throw new InvalidOperationException(
                    $"services/{app}: {match.Value} names no constant of this service"
                );
        }
    }

    [GeneratedRegex(
        "\"((?:taskqueue-[a-z]+)|pubsub|broadcast|cachestore|statestore|workflowstore|secretstore|sms|featureflags)\""
    )]
    private static partial Regex ComponentName();

    [GeneratedRegex(@"PeerClient\.Create(?:Invoker)?\(\w+,\s*(?:appId:\s*)?(?:""([a-z]+)""|([A-Z][\w.]*))")]
    private static partial Regex Invocation();

    [GeneratedRegex(@"=> WorkQueue\.([A-Z][a-z]+);")]
    private static partial Regex TaskQueue();

    [GeneratedRegex(@"\.AddJob<[^>]+>\(\s*(?:""([^""]+)""|([A-Z][\w.]*))")]
    private static partial Regex Job();

    [GeneratedRegex(@"const string Topic = ""([^""]+)""")]
    private static partial Regex Published();

    [GeneratedRegex("\"(/internal/[^\"]+)\"")]
    private static partial Regex InternalCall();

    [GeneratedRegex(@"const string (\w+) = ""([^""]+)""")]
    private static partial Regex Constant();
}
