using System.Data;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Npgsql takes a statement that it prepares by itself for prepared once it is parsed, and learns only after its bind
/// which columns it gives. Should that one bind fail (a text with NUL, a JSON that is none, a lock that was not to be
/// had while planning), the statement stays known without its columns: the next command that uses it on the connection,
/// innocent as it is, gets "unexpected backend message DataRow" and loses the connection. So a connection on which a
/// command failed forgets what it has prepared before anybody else gets it from the pool.
/// </summary>
public static class Preparation
{
    private const string IntegrityConstraintViolation = "23";

    /// <summary>
    /// Whether a command's failure may have come from its bind. A violated constraint comes from running it, so that
    /// equal requests, which meet on keys all day, cost nobody the statements.
    /// </summary>
    public static bool IsInDoubt(Exception failure) =>
        failure switch
        {
            PostgresException refusal => !refusal.SqlState.StartsWith(
                IntegrityConstraintViolation,
                StringComparison.Ordinal
            ),
            NpgsqlException or OperationCanceledException or TimeoutException => true,
            _ => false,
        };

    /// <summary>Of a connection in no transaction.</summary>
    public static void Forget(NpgsqlConnection connection) => Clean(connection, isInTransaction: false);

    /// <summary>As the other, of a connection in a transaction that was begun by a statement.</summary>
    public static void RollBackAndForget(NpgsqlConnection connection) => Clean(connection, isInTransaction: true);

    private static void Clean(NpgsqlConnection connection, bool isInTransaction)
    {
        if (connection.FullState != ConnectionState.Open)
        {
            return;
        }

        try
        {
            if (isInTransaction)
            {
                using var rollback = new NpgsqlCommand("ROLLBACK", connection);
                rollback.ExecuteNonQuery();
            }

            connection.UnprepareAll();
        }
        catch (NpgsqlException)
        {
            // What can not be taken back has to end with its session.
            NpgsqlConnection.ClearPool(connection);
        }
    }
}
