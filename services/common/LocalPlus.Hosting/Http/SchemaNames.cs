using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;

namespace LocalPlus.Hosting;

/// <summary>
/// What the shapes of bodies are called in the OpenAPI document: the things that callers know, not the types of the
/// code. Two types with one name would be described as one, so they are refused.
/// </summary>
internal sealed class SchemaNames
{
    private static readonly string[] ReadingVerbs = ["Get", "List", "Find"];
    private readonly Dictionary<string, Type> known = [];

    /// <summary>What has been named so far.</summary>
    public IReadOnlyDictionary<string, Type> Known => known;

    public string? Of(JsonTypeInfo json)
    {
        if (OpenApiOptions.CreateDefaultSchemaReferenceId(json) is null)
        {
            return null;
        }

        var type = Nullable.GetUnderlyingType(json.Type) ?? json.Type;
        var name = NameOf(type);
        return known.TryAdd(name, type) || known[name] == type
            ? name
            : throw new InvalidOperationException($"{type} and {known[name]} are both called {name} in the API.");
    }

    /// <summary>
    /// RedemptionView is a Redemption, a page of them a RedemptionPage; CreateProgram's Request is a
    /// CreateProgramRequest, GetTimeline's Entry a TimelineEntry, and GetDailyReport's Response the DailyReport.
    /// </summary>
    internal static string NameOf(Type type)
    {
        if (type.IsGenericType)
        {
            var name = type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)];
            return string.Concat(type.GetGenericArguments().Select(NameOf)) + name;
        }

        // Stored documents, of whatever members.
        if (type == typeof(JsonElement))
        {
            return nameof(JsonObject);
        }

        var slice = type.DeclaringType?.Name;
        return (type.Name, slice) switch
        {
            ("View" or "Response", not null) when Subject(slice) != slice => Subject(slice),
            ("View" or "Response", not null) => $"{slice}Response",
            ("Request", not null) => $"{slice}Request",
            (var name, not null) when IsOneWord(name) && !Subject(slice).Contains(name, StringComparison.Ordinal) =>
                Subject(slice) + name,
            (var name, _) when name.EndsWith("View", StringComparison.Ordinal) => name[..^"View".Length],
            var (name, _) => name,
        };
    }

    private static string Subject(string slice)
    {
        var verb = ReadingVerbs.FirstOrDefault(verb =>
            slice.StartsWith(verb, StringComparison.Ordinal)
            && char.IsUpper(slice[verb.Length])
            // Who adds what is missing does more than read.
            && !slice.AsSpan(verb.Length).StartsWith("Or", StringComparison.Ordinal)
        );
        var subject = slice[(verb?.Length ?? 0)..];
        return subject.EndsWith("Request", StringComparison.Ordinal) ? subject[..^"Request".Length] : subject;
    }

    private static bool IsOneWord(string name) => name.Count(char.IsUpper) == 1;
}
