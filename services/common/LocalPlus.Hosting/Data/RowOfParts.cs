using System.Reflection;
using Dapper;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// A row whose columns are, in their order, the members of its parts: each parameter of its constructor is one. A part
/// that may be missing, and then is null as a whole, begins with a column that is null only then; every other part but
/// the first begins with one that never is.
/// </summary>
public interface IRowOfParts<TSelf>
    where TSelf : IRowOfParts<TSelf>
{
    /// <summary>The first column of each part but the first, separated by commas.</summary>
    static abstract string SplitOn { get; }

    /// <summary>Reads the rows of a statement; Dapper's query over several types, split on these columns.</summary>
    static abstract Task<IEnumerable<TSelf>> QueryAsync(NpgsqlConnection connection, CommandDefinition command);
}

/// <summary>How rows of a type are read, which is found out once.</summary>
internal static class Rows<T>
{
    private static readonly Func<NpgsqlConnection, CommandDefinition, Task<IEnumerable<T>>>? OfParts = Find();

    public static Task<IEnumerable<T>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        OfParts is null ? connection.QueryAsync<T>(command) : OfParts(connection, command);

    public static Task<T?> SingleOrDefaultAsync(NpgsqlConnection connection, CommandDefinition command) =>
        OfParts is null
            ? connection.QuerySingleOrDefaultAsync<T>(command)
            : OneAsync(OfParts(connection, command), rows => rows.SingleOrDefault());

    public static Task<T> SingleAsync(NpgsqlConnection connection, CommandDefinition command) =>
        OfParts is null
            ? connection.QuerySingleAsync<T>(command)
            : OneAsync(OfParts(connection, command), rows => rows.Single());

    private static async Task<TOne> OneAsync<TOne>(Task<IEnumerable<T>> rows, Func<IEnumerable<T>, TOne> one) =>
        one(await rows);

    private static Func<NpgsqlConnection, CommandDefinition, Task<IEnumerable<T>>>? Find() =>
        typeof(T).GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRowOfParts<>))
            ? typeof(T)
                .GetMethod(nameof(QueryAsync), BindingFlags.Static | BindingFlags.Public)!
                .CreateDelegate<Func<NpgsqlConnection, CommandDefinition, Task<IEnumerable<T>>>>()
            : null;
}
