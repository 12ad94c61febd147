using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace LocalPlus.Hosting;

/// <summary>
/// What the framework can not see in the types with converters of ours (<see cref="StrictJson"/>): how their texts
/// look; and that answers leave out what is null.
/// </summary>
internal static class SchemaShapes
{
    public static Task ApplyAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken cancel
    )
    {
        Apply(schema, context.JsonTypeInfo, context.JsonPropertyInfo);
        return Task.CompletedTask;
    }

    /// <summary>
    /// The framework does not hand over what is only ever a member that may be missing: a Money in one request, say.
    /// </summary>
    public static void Complete(OpenApiDocument document, IReadOnlyDictionary<string, Type> types)
    {
        foreach (var (name, described) in document.Components?.Schemas ?? new Dictionary<string, IOpenApiSchema>())
        {
            if (described is not OpenApiSchema schema || !types.TryGetValue(name, out var type))
            {
                continue;
            }

            var json = StrictJson.Options.GetTypeInfo(type);
            ApplyIfUntyped(schema, json, null);
            foreach (var member in json.Properties)
            {
                if (schema.Properties?.TryGetValue(member.Name, out var shape) is true)
                {
                    ApplyIfUntyped(shape, StrictJson.Options.GetTypeInfo(member.PropertyType), member);
                }
            }
        }
    }

    private static void ApplyIfUntyped(IOpenApiSchema shape, JsonTypeInfo json, JsonPropertyInfo? of)
    {
        if (shape is OpenApiSchema { Type: null, OneOf: null or { Count: 0 } } own)
        {
            Apply(own, json, of);
        }
    }

    private static void Apply(OpenApiSchema schema, JsonTypeInfo json, JsonPropertyInfo? of)
    {
        var written = json.Type;
        var type = Nullable.GetUnderlyingType(written) ?? written;
        var mayBeNull = type != written || of is { IsGetNullable: true };
        if (schema.Enum is { Count: > 0 } || type == typeof(string) || type == typeof(Currency) || IsId(type))
        {
            schema.Type = mayBeNull ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
        }

        if (IsId(type))
        {
            schema.Pattern = PatternOf(type);
        }
        else if (type == typeof(Currency))
        {
            schema.Pattern = "^[A-Z]{3}$";
        }
        else if (type == typeof(DateTimeOffset))
        {
            schema.Type = mayBeNull ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
            schema.Format = "date-time";
        }
        else if (type == typeof(long))
        {
            schema.Type = mayBeNull ? JsonSchemaType.Integer | JsonSchemaType.Null : JsonSchemaType.Integer;
        }
        else if (type == typeof(JsonElement) || type == typeof(object))
        {
            schema.Type = mayBeNull ? JsonSchemaType.Object | JsonSchemaType.Null : JsonSchemaType.Object;
        }

        if (json.ElementType is { } element && (element == typeof(string) || IsId(element)))
        {
            var text = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Pattern = IsId(element) ? PatternOf(element) : null,
            };
            schema.Items = schema.Type?.HasFlag(JsonSchemaType.Array) is true ? text : null;
            schema.AdditionalProperties = schema.Items is null ? text : null;
        }

        foreach (var member in json.Properties.Where(p => p.IsGetNullable))
        {
            schema.Required?.Remove(member.Name);
        }
    }

    /// <summary>How the ids of this type look.</summary>
    public static string PatternOf(Type id) =>
        $"^{id.GetProperty("Prefix")!.GetValue(null)}_[0-9a-z]{{{Base32.GuidLength}}}$";

    public static bool IsId(Type type) =>
        type.IsValueType
        && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));
}
