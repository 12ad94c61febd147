using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// What is kept of a failure for operators: its kind, and what of it names no data. Messages of exceptions may quote
/// what the work was about.
/// </summary>
internal static class FailureText
{
    private const string WrongStatement = "42";

    /// <summary>
    /// e.g. busy, IOException, "PostgresException 23514 no_loss", "PostgresException 42P01: relation … does not
    /// exist".
    /// </summary>
    public static string Of(Exception cause) =>
        cause switch
        {
            FaultException fault => fault.Fault.Code,
            // What is wrong with a statement is said with names of tables and columns alone.
            PostgresException wrong when wrong.SqlState.StartsWith(WrongStatement, StringComparison.Ordinal) =>
                $"{nameof(PostgresException)} {wrong.SqlState}: {wrong.MessageText}",
            PostgresException refused =>
                $"{nameof(PostgresException)} {refused.SqlState} {refused.ConstraintName}".TrimEnd(),
            _ => cause.GetType().Name,
        };
}
