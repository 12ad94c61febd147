using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// Committed renders: prod in full, dev and staging as what they change, one line a value. LP_GOLDEN=write rewrites
/// them.
/// </summary>
internal static class Golden
{
    public static void Check(string file, string actual) => CheckFile($"charts/localplus/golden/{file}", actual);

    /// <summary>A file by its path in the repository.</summary>
    public static void CheckFile(string file, string actual)
    {
        var path = Repository.At(file);
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"{path} is missing; LP_GOLDEN=write dotnet test tests/Platform writes it.");
        Assert.True(
            File.ReadAllText(path) == actual,
            $"{file} differs from the render: {FirstDifference(File.ReadAllText(path), actual)}. "
                + "When that is meant, LP_GOLDEN=write dotnet test tests/Platform rewrites it."
        );
    }

    public static string Difference(JsonObject[] from, JsonObject[] to)
    {
        var before = Flatten(from);
        var after = Flatten(to);
        var text = new StringBuilder();
        foreach (var key in before.Keys.Union(after.Keys).Order(StringComparer.Ordinal))
        {
            var was = before.GetValueOrDefault(key);
            var value = after.GetValueOrDefault(key);
            if (was != value)
            {
                text.Append(was is null ? "" : $"- {key}: {was}\n").Append(value is null ? "" : $"+ {key}: {value}\n");
            }
        }

        return text.ToString();
    }

    private static SortedDictionary<string, string> Flatten(JsonObject[] objects)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in objects)
        {
            Add(lines, $"{item.Kind()}/{item.Name()}", item);
        }

        return lines;
    }

    private static void Add(SortedDictionary<string, string> lines, string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (key, value) in map)
                {
                    Add(lines, $"{path} {key}", value);
                }

                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    // Named items keep their line when one is added before them.
                    Add(lines, $"{path}[{list[i].At("name")?.ToString() ?? $"{i}"}]", list[i]);
                }

                break;
            default:
                lines[path] = node?.ToJsonString() ?? "null";
                break;
        }
    }

    private static string FirstDifference(string expected, string actual)
    {
        var was = expected.Split('\n');
        var now = actual.Split('\n');
        var line = Enumerable
            .Range(0, Math.Min(was.Length, now.Length))
            .FirstOrDefault(i => was[i] != now[i], Math.Min(was.Length, now.Length));
        return $"line {line + 1}: '{was.ElementAtOrDefault(line)}' is now '{now.ElementAtOrDefault(line)}'";
    }
}
