using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>
/// What a POST route must survive: bodies made out of a good one, each broken in a way that callers and libraries
/// know how to break one. Whatever the route makes of it, the answer is below 500 and a refusal is a problem
/// document.
/// </summary>
public static class InputCorpus
{
    /// <summary>Bodies that no route may accept.</summary>
    public static IEnumerable<(string Name, byte[] Body)> Broken(string good)
    {
        var members = good.TrimEnd()[..^1];
        var separator = members.TrimEnd().EndsWith('{') ? "" : ",";
        yield return Case("unknown member", $$"""{{members}}{{separator}}"no_such_member":1}""");
        yield return Case("depth of 10,000", new string('[', 10_000) + new string(']', 10_000));
        yield return Case(
            "deep unknown member",
            $$"""{{members}}{{separator}}"x":{{new string('[', 100)}}{{new string(']', 100)}}}"""
        );
        yield return Case("cut off", good[..^1]);
        yield return Case("trailing", good + "}");
        yield return Case("comment", "/* */" + good);
        yield return Case("a list", $"[{good}]");
        yield return Case("a text", "\"x\"");
        yield return Case("null", "null");
        yield return Case("nothing", "");
        yield return Case("NUL in a name", $$"""{{members}}{{separator}}"a\u0000b":1}""");
        yield return Case("half a pair in a name", $$"""{{members}}{{separator}}"\ud800":1}""");
        yield return ("no UTF-8", [.. Encoding.UTF8.GetBytes(members + separator + "\"x"), 0xC3, 0x28, .. "\":1}"u8]);
        yield return ("UTF-16", Encoding.Unicode.GetBytes(good));
        yield return Case(
            "larger than a body may be",
            $$"""{{members}}{{separator}}"x":"{{new string('x', 1_100_000)}}"}"""
        );
        foreach (var member in JsonDocument.Parse(good).RootElement.EnumerateObject())
        {
            var twice = $$"""{{members}}{{separator}}"{{member.Name}}":{{member.Value.GetRawText()}}}""";
            yield return Case($"{member.Name} twice", twice);
            foreach (var (name, value) in Values(member.Value.ValueKind))
            {
                yield return Case($"{member.Name} is {name}", Replace(good, member.Name, value));
            }
        }
    }

    /// <summary>Sends all of it and checks every answer; the number of answers that were looked at.</summary>
    public static async Task<int> SurviveAsync(RunningService service, string path, string bearer, string good)
    {
        var looked = 0;
        foreach (var (name, body) in Broken(good))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
            // Who sends more than a body may be is told so before sending it.
            request.Headers.ExpectContinue = body.Length > 1_000_000;
            using var answer = await service.Public.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode is >= 400 and < 500, $"{path}, {name}: {(int)answer.StatusCode} {text}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            Assert.NotNull(JsonElement.Parse(text).GetProperty("code").GetString());
            looked++;
        }

        return looked;
    }

    private static IEnumerable<(string Name, string Value)> Values(JsonValueKind kind)
    {
        yield return ("an object", "{\"x\":{}}");
        yield return ("1e400", "1e400");
        if (kind == JsonValueKind.Number)
        {
            yield return ("a number in quotes", "\"1\"");
            yield return ("2^63", "9223372036854775808");
            yield return ("-2^63", "-9223372036854775808");
            yield return ("a fraction", "1.5");
        }
        else if (kind == JsonValueKind.String)
        {
            yield return ("a number", "1");
            yield return ("NUL", "\"a\\u0000b\"");
            yield return ("an escape", "\"a\\u001b[2Jb\"");
            yield return ("a C1 control", "\"a\\u0085b\"");
            yield return ("half a pair", "\"a\\ud800b\"");
            yield return ("the other half", "\"\\udc00\"");
            yield return ("100,000 characters", $"\"{new string('x', 100_000)}\"");
        }
        else
        {
            yield return ("a text", "\"x\"");
            yield return ("false", "false");
        }
    }

    private static string Replace(string good, string member, string value)
    {
        using var document = JsonDocument.Parse(good);
        return "{"
            + string.Join(
                ',',
                document
                    .RootElement.EnumerateObject()
                    .Select(m => $"\"{m.Name}\":{(m.Name == member ? value : m.Value.GetRawText())}")
            )
            + "}";
    }

    private static (string Name, byte[] Body) Case(string name, string body) => (name, Encoding.UTF8.GetBytes(body));
}
