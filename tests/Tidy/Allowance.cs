using System.Globalization;

namespace LocalPlus.Tests.Tidy;

/// <summary>
/// Places that break a rule and were there before it: a count per file, which may only fall. LP_GOLDEN=write takes over
/// what has fallen and what was moved, and never lets a count rise.
/// </summary>
internal static class Allowance
{
    private const string Folder = "tests/Tidy/allowances";

    /// <summary>Fails for the files that break a rule more often than they are allowed to.</summary>
    /// <param name="rule">The name of its list.</param>
    /// <param name="places">Each place that breaks it.</param>
    public static void Holds(string rule, IEnumerable<(string File, string Place)> places)
    {
        var list = $"{Folder}/{rule}.txt";
        var allowed = Tree.Lines(list)
            .Select(line => line.Split(' '))
            .ToDictionary(p => p[0], p => int.Parse(p[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        var found = places
            .GroupBy(p => p.File)
            .ToDictionary(g => g.Key, g => g.Select(p => p.Place).ToArray(), StringComparer.Ordinal);
        var gone = allowed
            .Where(a => !Tree.Exists(a.Key))
            .ToLookup(a => Path.GetFileName(a.Key), a => a.Value, StringComparer.Ordinal);

        // A file that was moved keeps what it had.
        int Allowed(string file) =>
            allowed.TryGetValue(file, out var count) ? count : gone[Path.GetFileName(file)].DefaultIfEmpty().Max();

        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllLines(
                Path.Combine(Tree.Root, list),
                found
                    .Select(f => (f.Key, Count: Math.Min(f.Value.Length, Allowed(f.Key))))
                    .Where(f => f.Count > 0)
                    .OrderBy(f => f.Key, StringComparer.Ordinal)
                    .Select(f => $"{f.Key} {f.Count}")
            );
        }

        Tree.Holds(
            from file in found
            where file.Value.Length > Allowed(file.Key)
            from place in file.Value.Prepend(
                $"{file.Key}: {file.Value.Length}, where {Allowed(file.Key)} are allowed ({list}):"
            )
            select place
        );
    }
}
