using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// What a service declares of its endpoints, as contracts/openapi has it (which OpenApiTests holds against the service
/// that runs). Every answer that any test gets is held against it: its status, its code, its members.
/// </summary>
internal sealed class ApiContract
{
    private const string ProblemType = "application/problem+json";
    private const string KeyHeader = "Idempotency-Key";

    /// <summary>What the server says of a request that is none, before the service sees it.</summary>
    private static readonly int[] OfTheServer = [408, 414, 431];
    private static readonly ConcurrentDictionary<string, ApiContract> Known = [];
    private readonly JsonObject document;
    private readonly (string[] Segments, JsonObject Operations)[] paths;

    private ApiContract(JsonObject document)
    {
        this.document = document;
        paths =
        [
            .. document["paths"]!
                .AsObject()
                .Select(path => (Segments: path.Key.Split('/'), Operations: path.Value!.AsObject()))
                // What is said word for word comes before what has a parameter there.
                .OrderBy(path => path.Segments.Count(IsParameter)),
        ];
    }

    /// <param name="document">A service's, or internal/ and a service.</param>
    public static ApiContract Of(string document) =>
        Known.GetOrAdd(
            document,
            name =>
                new(
                    JsonNode
                        .Parse(File.ReadAllText(Path.Combine(Root(), "contracts", "openapi", $"{name}.json")))!
                        .AsObject()
                )
        );

    /// <summary>Throws when the endpoint that was asked does not declare the answer it gave.</summary>
    public async Task CheckAsync(HttpRequestMessage request, HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        if (Find(request) is not { } operation || status == 304 || OfTheServer.Contains(status))
        {
            return;
        }

        var declared =
            Resolve(operation["responses"]?[$"{status}"])
            ?? throw Undeclared(
                request,
                answer,
                $"the status is not one of {operation["responses"]!.AsObject().Count}"
            );
        CheckKey(request, answer, operation);
        var type = answer.Content.Headers.ContentType?.MediaType;
        if (type is null)
        {
            return;
        }

        var schema =
            declared["content"]?[type]?["schema"]
            ?? (answer.Content.Headers.ContentLength == 0 ? null : throw Undeclared(request, answer, $"no {type}"));
        if (schema is null || type is not ("application/json" or ProblemType))
        {
            return;
        }

        await answer.Content.LoadIntoBufferAsync();
        // Not as a stream, which would be at its end for the test.
        using var parsed = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
        var body = parsed.RootElement;
        if (new SchemaCheck(document).Problem(body, schema, "") is { } problem)
        {
            throw Undeclared(request, answer, $"{problem} in {body}");
        }
    }

    internal static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    /// <summary>Who does not ask for a key can not replay; who asks for one does nothing without.</summary>
    private void CheckKey(HttpRequestMessage request, HttpResponseMessage answer, JsonObject operation)
    {
        var parameters = operation["parameters"]?.AsArray().Select(Resolve).ToArray() ?? [];
        var key = parameters.FirstOrDefault(parameter => parameter?["name"]?.GetValue<string>() == KeyHeader);
        if (key is null && answer.Headers.Contains("Idempotency-Replayed"))
        {
            throw Undeclared(request, answer, "it was replayed, and no key is declared");
        }

        var isRequired = key?["required"]?.GetValue<bool>() is true;
        if (isRequired && answer.IsSuccessStatusCode && !request.Headers.Contains(KeyHeader))
        {
            throw Undeclared(request, answer, "it was done without the key that is declared");
        }
    }

    private JsonObject? Find(HttpRequestMessage request)
    {
        var asked = request.RequestUri!.AbsolutePath.TrimEnd('/').Split('/');
        return paths
                .FirstOrDefault(path =>
                    path.Segments.Length == asked.Length
                    && path.Segments.Zip(asked).All(pair => IsParameter(pair.First) || pair.First == pair.Second)
                )
                .Operations?[request.Method.Method.ToLowerInvariant()] as JsonObject;
    }

    private JsonNode? Resolve(JsonNode? node) => SchemaCheck.Resolve(document, node);

    private static bool IsParameter(string segment) => segment.StartsWith('{');

    private static InvalidOperationException Undeclared(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        string what
    ) =>
        new(
            $"{request.Method} {request.RequestUri!.AbsolutePath} answered {(int)answer.StatusCode}, which it does not "
                + $"declare: {what}"
        );
}

/// <summary>The part of JSON Schema that the documents use.</summary>
internal sealed class SchemaCheck(JsonObject document)
{
    public static JsonNode? Resolve(JsonObject document, JsonNode? node)
    {
        while (node?["$ref"]?.GetValue<string>() is { } reference)
        {
            node = reference.Split('/').Skip(1).Aggregate((JsonNode?)document, (at, name) => at?[name]);
        }

        return node;
    }

    /// <summary>What is wrong with a value and where, or null.</summary>
    public string? Problem(JsonElement value, JsonNode? written, string at)
    {
        if (Resolve(document, written) is not JsonObject schema)
        {
            return null;
        }

        if (schema["type"] is { } type && !Names(type).Contains(TypeOf(value)))
        {
            return $"{at} is {TypeOf(value)} and no {string.Join(" or ", Names(type))}";
        }

        if (
            schema["enum"] is JsonArray allowed
            && !allowed.Any(item =>
                item?.GetValue<string>() == (value.ValueKind == JsonValueKind.String ? value.GetString() : null)
            )
        )
        {
            return $"{at} is {value}, which is none of {allowed.ToJsonString()}";
        }

        if (
            schema["allOf"] is JsonArray all
            && all.Select(part => Problem(value, part, at)).FirstOrDefault(p => p is not null) is { } missed
        )
        {
            return missed;
        }

        if (schema["oneOf"] is JsonArray either)
        {
            var problems = either.Select(part => Problem(value, part, at)).ToArray();
            return problems.Any(problem => problem is null) ? null : problems[^1];
        }

        return value.ValueKind switch
        {
            JsonValueKind.Object => Members(value, schema, at),
            JsonValueKind.Array => value
                .EnumerateArray()
                .Select((item, i) => Problem(item, schema["items"], $"{at}/{i}"))
                .FirstOrDefault(problem => problem is not null),
            _ => null,
        };
    }

    private string? Members(JsonElement value, JsonObject schema, string at)
    {
        var known = schema["properties"] as JsonObject;
        var missing = (schema["required"] as JsonArray)?.FirstOrDefault(name =>
            !value.TryGetProperty(name!.GetValue<string>(), out _)
        );
        if (missing is not null)
        {
            return $"{at} has no {missing}";
        }

        var rest = schema["additionalProperties"];
        foreach (var member in value.EnumerateObject())
        {
            var declared = known?[member.Name];
            if (declared is null && rest is JsonValue closed && !closed.GetValue<bool>())
            {
                return $"{at}/{member.Name} is not declared";
            }

            if (Problem(member.Value, declared ?? rest as JsonObject, $"{at}/{member.Name}") is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static IEnumerable<string> Names(JsonNode type) =>
        type is JsonArray several ? several.Select(name => name!.GetValue<string>()) : [type.GetValue<string>()];

    private static string TypeOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            _ => "null",
        };
}

/// <summary>
/// A client's handler that holds every answer against a document's <see cref="ApiContract"/>. A refusal at the door
/// (ADR 0020) has done nothing and is asked again, as a good client does.
/// </summary>
internal sealed class ContractHandler(string document) : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>On a request whose sender wants to see refusals at the door.</summary>
    public static readonly HttpRequestOptionsKey<bool> AsAnswered = new("as answered");

    private const string Overloaded = "overloaded";

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var answer = await AskAsync(request, cancellationToken);
        await ApiContract.Of(document).CheckAsync(request, answer);
        return answer;
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var answer = default(HttpResponseMessage);
        await Eventually.TrueAsync(async () =>
        {
            answer?.Dispose();
            answer = await base.SendAsync(request, cancel);
            return request.Options.TryGetValue(AsAnswered, out _)
                || answer.StatusCode != HttpStatusCode.ServiceUnavailable
                || !(await answer.Content.ReadAsStringAsync(cancel)).Contains(Overloaded, StringComparison.Ordinal);
        });
        return answer!;
    }
}
