using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// JSON as a money API wants it: snake_case, no duplicate or unknown members, no numbers in quotes, nothing missing
/// that is required, no null where none is allowed, shallow, texts as <see cref="Texts"/> has them; instants with
/// their offset. Events are read leniently, so that a producer may add members.
/// </summary>
public static class StrictJson
{
    public const int MaxDepth = 16;

    /// <summary>
    /// Where an exception says what is wrong, and with which member below the path that the serializer names.
    /// </summary>
    internal const string CodeKey = "code";
    internal const string MemberKey = "member";

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
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseNulls } };
        options.Converters.Add(new IdJsonConverter());
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new TextConverter());
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

    /// <summary>A body that is refused for a reason of ours, which the refusal names beside the member.</summary>
    private static JsonException Refusal(string code, string? member = null)
    {
        var refusal = new JsonException(code);
        refusal.Data[CodeKey] = code;
        refusal.Data[MemberKey] = member;
        return refusal;
    }

    /// <summary>
    /// The serializer looks at the nullability of members and not of what lists and maps hold: here neither has null
    /// in it.
    /// </summary>
    private static void RefuseNulls(JsonTypeInfo type)
    {
        var holders = type.Properties.Where(p => p.Get is not null && HoldsReferences(p.PropertyType)).ToArray();
        if (type.Kind != JsonTypeInfoKind.Object || holders.Length == 0)
        {
            return;
        }

        type.OnDeserialized = read =>
        {
            foreach (var holder in holders)
            {
                if (holder.Get!(read) is IEnumerable items && NullIn(items) is { } at)
                {
                    throw Refusal("null", $"{holder.Name}/{at}");
                }
            }
        };
    }

    private static string? NullIn(IEnumerable items) =>
        items is IEnumerable<KeyValuePair<string, string?>> map
            ? map.Where(entry => entry.Value is null).Select(entry => entry.Key).FirstOrDefault()
            : items
                .Cast<object?>()
                .Index()
                .Where(item => item.Item is null)
                .Select(item => $"{item.Index}")
                .FirstOrDefault();

    private static bool HoldsReferences(Type type) =>
        type.IsGenericType
        && (
            type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
            || type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
        )
        && !type.GetGenericArguments()[^1].IsValueType;

    private sealed class TextConverter : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? Text(ref reader) : throw new JsonException("expected a text");

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value);

        public override string ReadAsPropertyName(
            ref Utf8JsonReader reader,
            Type typeToConvert,
            JsonSerializerOptions options
        ) => Text(ref reader);

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value);

        private static string Text(ref Utf8JsonReader reader)
        {
            string text;
            try
            {
                text = reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                throw Refusal("not_unicode");
            }

            return Texts.Problem(text, mayBreakLines: true) is { } problem ? throw Refusal(problem) : text;
        }
    }

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(
            ref Utf8JsonReader reader,
            Type typeToConvert,
            JsonSerializerOptions options
        ) =>
            reader.TokenType == JsonTokenType.String && Instants.TryParse(reader.GetString(), out var instant)
                ? instant
                : throw new JsonException("expected an RFC 3339 instant with its offset");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Instants.Format(value));
    }
}
