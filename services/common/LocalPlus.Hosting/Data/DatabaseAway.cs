using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// Tells a database that is away, full or read-only, whatever is asked of it, from one that refused this statement.
/// </summary>
internal static class DatabaseAway
{
    public static bool IsToldBy(Exception exception) =>
        exception switch
        {
            PostgresException postgres => postgres.SqlState
                is PostgresErrorCodes.DiskFull
                    or PostgresErrorCodes.TooManyConnections
                    or PostgresErrorCodes.AdminShutdown
                    or PostgresErrorCodes.CrashShutdown
                    or PostgresErrorCodes.CannotConnectNow
                    or PostgresErrorCodes.ReadOnlySqlTransaction,
            NpgsqlException { InnerException: IOException or System.Net.Sockets.SocketException or TimeoutException } =>
                true,
            NpgsqlException npgsql => npgsql.IsTransient,
            _ => exception is TimeoutException,
        };

    /// <summary>
    /// The statement took longer than the server lets one: it, what it was asked with, or a server that is slow.
    /// </summary>
    public static bool IsTooSlow(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled };
}
