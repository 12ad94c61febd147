namespace LocalPlus.Client;

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

    /// <summary>Of the request that was refused, by which support finds it.</summary>
    public string? RequestId { get; init; }

    /// <summary>Where the refusal is explained.</summary>
    public string? Page { get; init; }

    public static CliFailure Usage(string message, string verb) =>
        new(ExitCodes.Usage, message, $"{Shell.Self} help {verb}".TrimEnd());
}
