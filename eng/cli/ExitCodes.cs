namespace LocalPlus.Cli;

/// <summary>What every verb exits with.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Refused = 4;
    public const int Unavailable = 5;
}

/// <summary>Ends a verb: what went wrong, and the next thing to do about it.</summary>
internal sealed class CliFailure(int exitCode, string message, string next) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public string Next { get; } = next;

    public static CliFailure Usage(string message, string verb) =>
        new(ExitCodes.Usage, message, $"./localplus help {verb}".TrimEnd());
}
