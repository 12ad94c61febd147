using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>
/// The suites that kill parts of a whole stack: <c>crash</c>, the matrix of instants and victims, and <c>kills</c>, by chance and
/// under load. Asked for by name they run in full; among all suites they run for a minute or two.
/// </summary>
internal static class CrashRuns
{
    public const string Matrix = "crash";
    public const string Chance = "kills";

    public static readonly string[] Options = ["--cell"];

    public static async Task<Score> RunAsync(Checkout checkout, Arguments arguments, IReadOnlyList<string> names, CancellationToken cancel)
    {
        var score = Score.None;
        if (names.Contains(Matrix))
        {
            score += await CrashMatrix.RunAsync(checkout, CellsOf(arguments), arguments.Option("--cell") is null, cancel);
        }

        if (names.Contains(Chance))
        {
            var kills = Number(arguments, "--kills") ?? (arguments.Positions.Count > 0 ? Kills.Full : Kills.Short);
            score += await Kills.RunAsync(checkout, kills, Number(arguments, "--seed") ?? Random.Shared.Next(), cancel);
        }

        return score;
    }

    /// <summary>The cells that were named; all when the suite was; a few in a run over all suites.</summary>
    private static IReadOnlyList<Cell> CellsOf(Arguments arguments) =>
        arguments.Option("--cell") is { } patterns ? [.. patterns.Split(',').SelectMany(Cell.Matching).Distinct()]
        : arguments.Positions.Count > 0 ? Cell.All
        : Cell.Short;

    private static int? Number(Arguments arguments, string option) =>
        arguments.Option(option) is not { } text ? null
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw CliFailure.Usage($"{option} takes a number", "test");
}
