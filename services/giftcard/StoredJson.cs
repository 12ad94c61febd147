using System.Text.Json;
using System.Text.Json.Serialization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// JSON in columns that this service alone writes and reads. An id is the uuid that the other columns have, so that
/// SQL may compare the two; a member that is not known is skipped, for a later release may have written it.
/// </summary>
internal static class StoredJson
{
    private static readonly JsonSerializerOptions Options = Make();

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, Options)!;

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(StrictJson.Lenient);
        options.Converters.Insert(0, new UuidConverter());
        options.MakeReadOnly();
        return options;
    }

    private sealed class UuidConverter : JsonConverterFactory
    {
        private static readonly IdJsonConverter Ids = new();

        public override bool CanConvert(Type typeToConvert) => Ids.CanConvert(typeToConvert);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(typeToConvert))!;

        private sealed class Converter<TId> : JsonConverter<TId>
            where TId : struct, IId<TId>
        {
            public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
                TId.From(reader.GetGuid());

            public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
                writer.WriteStringValue(value.Value);
        }
    }
}
