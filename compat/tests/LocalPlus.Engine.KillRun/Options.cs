using System.Globalization;

namespace LocalPlus.Engine.KillRun;

/// <summary>What the program is asked to do: the kill run, or with <c>scale</c> many waiting runs.</summary>
internal sealed record Options(bool Scale, int Runs, int Kills, int Seed, string Sidecar, bool Verbose)
{
    /// <summary>
    /// Every run must have ended that long after all workers are back, as anything that one death leaves behind
    /// (Fault_19); the official worker takes 5 s to reconnect.
    /// </summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(15);

    /// <summary>After that a run counts as stuck.</summary>
    public static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(60);

    public const int Workers = 2;
    public const int InFlight = 60;

    public static Options Parse(string[] args)
    {
        var isScale = args is ["scale", ..];
        return new Options(
            isScale,
            Number("--runs", isScale ? 100_000 : 10_000),
            Number("--kills", 1_000),
            Number("--seed", Random.Shared.Next()),
            Path.GetFullPath(
                Value("--sidecar")
                    ?? Path.Combine(
                        AppContext.BaseDirectory,
                        "../../LocalPlus.Sidecar",
                        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
                        "daprd"
                    )
            ),
            args.Contains("--verbose")
        );

        int Number(string name, int fallback) =>
            Value(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;

        string? Value(string name) =>
            Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
    }
}
