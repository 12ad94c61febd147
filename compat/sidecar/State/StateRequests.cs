using System.Buffers;
using System.Text.Json;
using LocalPlus.Sidecar.Api;

namespace LocalPlus.Sidecar.State;

/// <summary>Reads the bodies of the HTTP state API. What Go's decoder would refuse is a malformed request.</summary>
internal static class StateRequests
{
    public static StateConcurrency Concurrency(string? text) =>
        text switch
        {
            "first-write" => StateConcurrency.FirstWrite,
            "last-write" => StateConcurrency.LastWrite,
            _ => StateConcurrency.Unspecified,
        };

    /// <summary>What daprd's stores say to a concurrency or consistency that they do not know.</summary>
    public static string? UnknownOption(string? concurrency, string? consistency) =>
        consistency is not (null or "" or "strong" or "eventual") ? $"unrecognized consistency model '{consistency}'"
        : concurrency is not (null or "" or "first-write" or "last-write")
            ? $"unrecognized concurrency model '{concurrency}'"
        : null;

    public static List<StateOperation> ParseSave(
        ReadOnlySpan<byte> body,
        NamedStore store,
        IReadOnlyDictionary<string, string>? urlMetadata
    ) =>
        Guard(
            body,
            "",
            (ref Utf8JsonReader reader) =>
            {
                var items = new List<StateOperation>();
                if (reader.TokenType == JsonTokenType.Null)
                {
                    return items;
                }
                Expect(ref reader, JsonTokenType.StartArray, "[]state.SetRequest");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(Item(ref reader, store, urlMetadata, needsKey: true));
                }
                return items;
            }
        );

    public static List<StateOperation> ParseTransaction(
        ReadOnlySpan<byte> body,
        NamedStore store,
        IReadOnlyDictionary<string, string>? urlMetadata
    ) =>
        Guard(
            body,
            Deserializing,
            (ref Utf8JsonReader reader) =>
            {
                Expect(ref reader, JsonTokenType.StartObject, "state.TransactionalStateRequest");
                var operations = new List<StateOperation>();
                while (NextMember(ref reader, out var name))
                {
                    if (name != "operations" || reader.TokenType != JsonTokenType.StartArray)
                    {
                        reader.Skip();
                        continue;
                    }
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        operations.Add(Operation(ref reader, store, urlMetadata));
                    }
                }
                return operations;
            }
        );

    public static List<string> ParseBulkGet(ReadOnlySpan<byte> body) =>
        Guard(
            body,
            Deserializing,
            (ref Utf8JsonReader reader) =>
            {
                Expect(ref reader, JsonTokenType.StartObject, "http.BulkGetRequest");
                var keys = new List<string>();
                while (NextMember(ref reader, out var name))
                {
                    if (name != "keys" || reader.TokenType != JsonTokenType.StartArray)
                    {
                        reader.Skip();
                        continue;
                    }
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        keys.Add(Text(ref reader));
                    }
                }
                return keys;
            }
        );

    /// <summary>How the refusals of all but the save begin.</summary>
    private const string Deserializing = "failed deserializing HTTP body: ";

    private delegate T Parser<T>(ref Utf8JsonReader reader);

    private static T Guard<T>(ReadOnlySpan<byte> body, string prefix, Parser<T> parse)
    {
        if (body.IsEmpty)
        {
            throw ApiException.Malformed(prefix + "EOF");
        }
        try
        {
            // Go's decoder stops behind the first value: what follows is not looked at.
            var reader = new Utf8JsonReader(body, GoJson.Reading);
            reader.Read();
            return parse(ref reader);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw ApiException.Malformed(prefix + problem.Message);
        }
    }

    private static StateOperation Operation(
        ref Utf8JsonReader reader,
        NamedStore store,
        IReadOnlyDictionary<string, string>? urlMetadata
    )
    {
        Expect(ref reader, JsonTokenType.StartObject, "state.TransactionalStateOperation");
        var kind = "";
        StateOperation? request = null;
        while (NextMember(ref reader, out var name))
        {
            if (name == "operation")
            {
                kind = Text(ref reader);
            }
            else if (name == "request" && reader.TokenType == JsonTokenType.StartObject)
            {
                request = Item(ref reader, store, urlMetadata, needsKey: false);
            }
            else
            {
                reader.Skip();
            }
        }
        if (kind is not ("upsert" or "delete"))
        {
            throw StateService.UnknownOperation(kind);
        }
        return (request ?? new StateOperation { Key = StateService.Key(store, ""), Value = "null"u8.ToArray() }) with
        {
            IsDelete = kind == "delete",
        };
    }

    private static StateOperation Item(
        ref Utf8JsonReader reader,
        NamedStore store,
        IReadOnlyDictionary<string, string>? urlMetadata,
        bool needsKey
    )
    {
        if (reader.TokenType == JsonTokenType.Null && needsKey)
        {
            throw ApiException.Malformed("\"key\" is a required field");
        }
        Expect(ref reader, JsonTokenType.StartObject, "state.SetRequest");
        var key = "";
        string? etag = null;
        ReadOnlyMemory<byte> value = "null"u8.ToArray();
        Dictionary<string, string>? metadata = null;
        var (concurrency, consistency) = ("", "");
        while (NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "key":
                    key = Text(ref reader);
                    break;
                case "value":
                    var output = new ArrayBufferWriter<byte>(256);
                    GoJson.Reencode(ref reader, output, new GoStyle(store.Store.EscapesHtml));
                    value = output.WrittenMemory;
                    break;
                case "etag":
                    etag = reader.TokenType == JsonTokenType.Null ? null : Text(ref reader);
                    break;
                case "metadata":
                    metadata = Map(ref reader);
                    break;
                case "options":
                    (concurrency, consistency) = Options(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (needsKey && key.Length == 0)
        {
            throw ApiException.Malformed("\"key\" is a required field");
        }
        return new StateOperation
        {
            Key = StateService.Key(store, key),
            Value = value,
            ETag = etag,
            Metadata = Merge(metadata, urlMetadata),
            Concurrency = Concurrency(concurrency),
            Strong = consistency == "strong",
            Unknown = UnknownOption(concurrency, consistency),
        };
    }

    private static (string Concurrency, string Consistency) Options(ref Utf8JsonReader reader)
    {
        var (concurrency, consistency) = ("", "");
        if (reader.TokenType == JsonTokenType.Null)
        {
            return (concurrency, consistency);
        }
        Expect(ref reader, JsonTokenType.StartObject, "state.SetStateOption");
        while (NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "concurrency":
                    concurrency = Text(ref reader);
                    break;
                case "consistency":
                    consistency = Text(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return (concurrency, consistency);
    }

    private static Dictionary<string, string>? Map(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }
        Expect(ref reader, JsonTokenType.StartObject, "map[string]string");
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            map[name] = Text(ref reader);
        }
        return map;
    }

    private static IReadOnlyDictionary<string, string> Merge(
        Dictionary<string, string>? item,
        IReadOnlyDictionary<string, string>? url
    )
    {
        if (url is null || url.Count == 0)
        {
            return item ?? StateOperation.NoMetadata;
        }
        var merged = item ?? new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in url)
        {
            merged[key] = value;
        }
        return merged;
    }

    /// <summary>Steps onto the next member's value; Go matches names without regard to case.</summary>
    private static bool NextMember(ref Utf8JsonReader reader, out string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            name = "";
            return false;
        }
        name =
            reader.ValueTextEquals("key"u8) ? "key"
            : reader.ValueTextEquals("value"u8) ? "value"
            : reader.GetString()!.ToLowerInvariant();
        reader.Read();
        return true;
    }

    private static string Text(ref Utf8JsonReader reader) =>
        reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Null => "",
            _ => throw new JsonException("json: cannot unmarshal into Go struct field of type string"),
        };

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string type)
    {
        if (reader.TokenType != token)
        {
            var kind = reader.TokenType switch
            {
                JsonTokenType.StartObject => "object",
                JsonTokenType.StartArray => "array",
                JsonTokenType.String => "string",
                JsonTokenType.Number => "number",
                _ => "bool",
            };
            throw new JsonException($"json: cannot unmarshal {kind} into Go value of type {type}");
        }
    }
}
