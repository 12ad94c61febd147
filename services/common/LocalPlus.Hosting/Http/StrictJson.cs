using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// JSON as a money API wants it: snake_case, no duplicate or unknown members, no numbers in quotes, nothing missing that is
/// required, no null where none is allowed, shallow; instants in UTC with milliseconds. Events are read leniently, so that
/// a producer may add members.
/// </summary>
public static class StrictJson
{
    public const int MaxDepth = 16;

    /// <summary>For bodies of requests and answers.</summary>
    public static JsonSerializerOptions Options { get; } = Make(strict: true);

    /// <summary>For events and stored documents: the same names, unknown members ignored.</summary>
    public static JsonSerializerOptions Lenient { get; } = Make(strict: false);

    internal static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.MaxDepth = MaxDepth;
        options.AllowDuplicateProperties = false;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseNullItems } };
        options.Converters.Add(new IdJsonConverter());
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
    }

    private static JsonSerializerOptions Make(bool strict)
    {
        var options = new JsonSerializerOptions();
        Apply(options);
        if (!strict)
        {
            options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip;
            options.RespectRequiredConstructorParameters = false;
            options.MaxDepth = 64;
        }

        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>The serializer looks at the nullability of members and not of a list's items: here no list has null in it.</summary>
    private static void RefuseNullItems(JsonTypeInfo type)
    {
        var lists = type.Properties.Where(p => p.Get is not null && IsListOfReferences(p.PropertyType)).ToArray();
        if (type.Kind == JsonTypeInfoKind.Object && lists.Length > 0)
        {
            type.OnDeserialized = read =>
            {
                if (lists.Any(list => list.Get!(read) is IEnumerable items && items.Cast<object?>().Contains(null)))
                {
                    throw new JsonException("null in a list");
                }
            };
        }
    }

    private static bool IsListOfReferences(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) && !type.GetGenericArguments()[0].IsValueType;

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var instant)
                ? instant.ToUniversalTime()
                : throw new JsonException("expected an RFC 3339 instant");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
    }
}
