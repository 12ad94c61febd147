using System.Text;

namespace LocalPlus.Tests.EndToEnd.Telemetry;

/// <summary>Looks for words in all that a stack writes down: its logs, and every row of every database.</summary>
internal static class Leaks
{
    /// <summary>Those of the services, the engine's histories among them.</summary>
    public static readonly string[] Databases =
    [
        "analytics",
        "console",
        "giftcard",
        "ledger",
        "merchant",
        "notification",
        "wallet",
        "workflow",
    ];

    /// <summary>The log files that have one of the words.</summary>
    public static IEnumerable<string> InLogs(CommandLine stack, params string[] words) =>
        Directory
            .EnumerateFiles(Path.Combine(stack.State, "logs"), "*", SearchOption.AllDirectories)
            .Where(file =>
            {
                using var reader = new StreamReader(
                    new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
                );
                var text = reader.ReadToEnd();
                return words.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));
            });

    /// <summary>The tables that have one of the words: as text, in bytes, or in base64 wherever it stands.</summary>
    public static async Task<IReadOnlyList<string>> InTablesAsync(CommandLine stack, string database, string[] words)
    {
        var patterns = words.SelectMany(Spellings).Select(spelling => $"'%{spelling}%'");
        var found = await stack.MustAsync(
            "psql",
            database,
            "-c",
            $"""
            SELECT 'found in ' || c.oid::regclass
              FROM pg_class c,
                   LATERAL query_to_xml(
                       format('SELECT 1 AS hit FROM %s t WHERE t::text ILIKE ANY (%L::text[]) LIMIT 1',
                              c.oid::regclass, ARRAY[{string.Join(", ", patterns)}]::text[]),
                       false, false, '') AS hits
             WHERE c.relkind = 'r'
               AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
               AND hits::text LIKE '%<hit>%'
            """
        );
        return
        [
            .. found
                .Split('\n', StringSplitOptions.TrimEntries)
                .Where(line => line.StartsWith("found in ", StringComparison.Ordinal))
                .Select(line => $"{database}: {line}"),
        ];
    }

    /// <summary>How bytes of a word look in a row that is written as text.</summary>
    private static IEnumerable<string> Spellings(string word)
    {
        var bytes = Encoding.UTF8.GetBytes(word);
        yield return word;
        yield return Convert.ToHexString(bytes);
        // Three bytes are four characters: a word begins at one of three places, and its ends depend on what is beside
        // it.
        for (var before = 0; before < 3; before++)
        {
            var encoded = Convert.ToBase64String([.. new byte[before], .. bytes]);
            var whole = (before + bytes.Length) / 3 * 4;
            var begin = before == 0 ? 0 : 4;
            if (whole - begin >= 8)
            {
                yield return encoded[begin..whole];
            }
        }
    }
}
