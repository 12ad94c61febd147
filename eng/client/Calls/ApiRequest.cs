using System.Text.Json.Nodes;

namespace LocalPlus.Client.Calls;

/// <summary>A request, before somebody's name is put on it.</summary>
/// <param name="Path">With its query.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path)
{
    public JsonNode? Body { get; init; }

    /// <summary>In place of a JSON body: a part of a file.</summary>
    public (string Text, string Media)? Upload { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>The version that is changed, for If-Match.</summary>
    public string? Version { get; init; }

    /// <summary>In the sign-in's name, whatever key there is.</summary>
    public bool IsPersons { get; init; }

    public bool IsRead => Method == HttpMethod.Get;
}

/// <summary>An answer of the API.</summary>
/// <param name="Status">0: there was none.</param>
/// <param name="WasSent">Whether the API may have seen the request.</param>
internal sealed record ApiAnswer(int Status, string Text, bool WasSent = true)
{
    private readonly Lazy<JsonNode?> _body = new(() => Parse(Text));

    public string? RetryAfter { get; init; }

    /// <summary>The body, when it is JSON.</summary>
    public JsonNode? Body => _body.Value;

    public bool IsGood => Status is >= 200 and < 300;

    /// <summary>The API may or may not have done what was asked.</summary>
    public bool IsUnknown => WasSent && Status is 0 or 502 or 503 or 504;

    /// <summary>A member of the problem document.</summary>
    public string? Problem(string name) => (Body as JsonObject)?[name]?.ToString();

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
