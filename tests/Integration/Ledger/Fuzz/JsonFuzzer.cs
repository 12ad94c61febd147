using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Integration.Ledger.Fuzz;

/// <summary>
/// Turns a body that is right into one that is wrong in one of the ways that JSON, numbers, texts and bytes can be.
/// </summary>
internal sealed class JsonFuzzer(Random random)
{
    private const string Here = "@@here@@";

    private static readonly string[] Odd =
    [
        "null",
        "true",
        "\"\"",
        "\"1\"",
        "-1",
        "0",
        "-0",
        "1.5",
        "1.0",
        "1e2",
        "1e400",
        "9007199254740991",
        "9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\udc00x\"",
        "\"\\u202e\\u0041\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        $"\"{new string('x', 600)}\"",
        $"\"{new string('é', 256)}\"",
        "\"9999-12-31T23:59:59.999+14:00\"",
        "\"0001-01-01T00:00:00Z\"",
        "\"2026-02-30T00:00:00Z\"",
        "\"acc_00000000000000000000000000\"",
        "\"'; DROP TABLE accounts; --\"",
        "\"open\"",
        "\"Open\"",
        "7",
        "\"PTS:\"",
        "\"eur\"",
        string.Concat(Enumerable.Repeat("[", 100)) + string.Concat(Enumerable.Repeat("]", 100)),
        "NaN",
        "'x'",
        "\"\\x\"",
    ];

    public byte[] Mutate(string json)
    {
        var root = JsonNode.Parse(json)!;
        return random.Next(12) switch
        {
            0 => Encoding.UTF8.GetBytes(json),
            1 => Flip(Encoding.UTF8.GetBytes(json)),
            2 => Encoding.UTF8.GetBytes(json)[..random.Next(json.Length)],
            3 => [.. Encoding.UTF8.GetBytes(json[..^1]), 0xC3, 0x28, (byte)'}'],
            4 => Encoding.UTF8.GetBytes("{\"unknown\":1," + json[1..]),
            5 => Encoding.UTF8.GetBytes("{" + First(root) + "," + json[1..]),
            6 => Encoding.Unicode.GetBytes(json),
            7 => Encoding.UTF8.GetBytes(Remove(root)),
            8 => Encoding.UTF8.GetBytes(Repeat(root)),
            _ => Encoding.UTF8.GetBytes(Replace(root)),
        };
    }

    /// <summary>A text for a path or a query.</summary>
    public string Text() => Odd[random.Next(Odd.Length)].Trim('"');

    private byte[] Flip(byte[] bytes)
    {
        for (var i = random.Next(1, 4); i > 0 && bytes.Length > 0; i--)
        {
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        }

        return bytes;
    }

    private static string First(JsonNode root) =>
        root is JsonObject { Count: > 0 } o ? $"{JsonSerializer.Serialize(o.First().Key)}:1" : "\"a\":1";

    private string Remove(JsonNode root)
    {
        if (Any(root) is { Parent: JsonObject parent } node)
        {
            parent.Remove(node.GetPropertyName());
        }

        return root.ToJsonString();
    }

    private string Repeat(JsonNode root)
    {
        if (Nodes(root).OfType<JsonArray>().FirstOrDefault(a => a.Count > 0) is { } list)
        {
            var item = list[0]!;
            for (var count = random.Next(1, 130); count > 0; count--)
            {
                list.Add(item.DeepClone());
            }
        }

        return root.ToJsonString();
    }

    private string Replace(JsonNode root)
    {
        if (Any(root) is { } node)
        {
            node.ReplaceWith(Here);
        }

        return root.ToJsonString().Replace($"\"{Here}\"", Odd[random.Next(Odd.Length)], StringComparison.Ordinal);
    }

    private JsonNode? Any(JsonNode root)
    {
        var nodes = Nodes(root).Where(node => node.Parent is not null).ToList();
        return nodes.Count == 0 ? null : nodes[random.Next(nodes.Count)];
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode node) =>
        node switch
        {
            JsonObject o => [node, .. o.Where(p => p.Value is not null).SelectMany(p => Nodes(p.Value!))],
            JsonArray a => [node, .. a.Where(i => i is not null).SelectMany(i => Nodes(i!))],
            _ => [node],
        };
}
