using LocalPlus.Tests.Unit.Ledger.Support;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Unit.Ledger.Mutants;

/// <summary>
/// Are the tests of the posting rules any good? Each operator, constant, condition and statement of the rules is
/// changed in turn (in the long form; the short one only sees that the rules still compile apart); a test has to fail.
/// The mutants that nothing kills are listed, with why, in docs/reference/mutants.md.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    /// <summary>Numbers and names that the rules need, and that are no rules.</summary>
    private static readonly string[] Apart = ["Faults.cs", "LedgerLimits.cs"];

    [Fact]
    public void A_changed_rule_fails_a_test_unless_it_is_listed()
    {
        var root = Root();
        var listed = File.ReadLines(Path.Combine(root, "docs/reference/mutants.md"))
            .Where(line => line.StartsWith("- ", StringComparison.Ordinal))
            .ToList();
        var rules = new Rules(Path.Combine(root, "services/ledger"));
        Assert.False(rules.FailsUnchanged());
        List<Mutant> mutants =
        [
            .. rules.Sources.Where(source => !Apart.Contains(Path.GetFileName(source.FilePath))).SelectMany(Mutant.Of),
        ];
        IReadOnlyList<Mutant> chosen = LongRun.IsOn ? mutants : [];

        Assert.NotEmpty(mutants);
        var fates = Try(rules, chosen, Path.Combine(root, "artifacts/tests/mutants.txt"));

        var survivors = fates
            .Where(fate => fate.IsKilled is false)
            .Select(fate => fate.Name)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        var unlisted = survivors
            .Where(name => !listed.Exists(line => line.Contains(name, StringComparison.Ordinal)))
            .ToList();
        output.WriteLine(
            $"{fates.Count(f => f.IsKilled is true)} killed, {survivors.Count} survived, {fates.Count(f => f.IsKilled is null)} do not compile"
        );
        Assert.True(unlisted.Count == 0, string.Join('\n', unlisted));
    }

    /// <summary>It takes minutes: what is known so far is in a file.</summary>
    private static List<(string Name, bool? IsKilled)> Try(Rules rules, IReadOnlyList<Mutant> mutants, string progress)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(progress)!);
        using var file = new StreamWriter(progress) { AutoFlush = true };
        var fates = new List<(string Name, bool? IsKilled)>();
        foreach (var mutant in mutants)
        {
            fates.Add((mutant.Name, rules.IsKilled(mutant)));
            file.WriteLine(
                $"{fates.Count}/{mutants.Count} {(fates[^1].IsKilled switch { true => "killed", false => "survived", null => "invalid" })} {mutant.Name}"
            );
        }

        return fates;
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LocalPlus.sln")))
        {
            folder =
                Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("The checkout is not above the tests.");
        }

        return folder;
    }
}
