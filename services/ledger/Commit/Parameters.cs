using Npgsql;
using NpgsqlTypes;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Typed, positional parameters without boxing: the writers' statements run thousands of times a second.
/// </summary>
internal static class Parameters
{
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }

    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, NpgsqlDbType type, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
        return command;
    }

    public static NpgsqlBatchCommand Ids(this NpgsqlBatchCommand command, Guid[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Uuid, values);

    public static NpgsqlBatchCommand Ids(this NpgsqlBatchCommand command, Guid?[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Uuid, values);

    public static NpgsqlBatchCommand Texts(this NpgsqlBatchCommand command, string?[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Text, values);

    public static NpgsqlBatchCommand Longs(this NpgsqlBatchCommand command, long[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Bigint, values);

    public static NpgsqlBatchCommand Shorts(this NpgsqlBatchCommand command, short[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Smallint, values);

    public static NpgsqlBatchCommand Bytes(this NpgsqlBatchCommand command, byte[][] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.Bytea, values);

    public static NpgsqlBatchCommand Instants(this NpgsqlBatchCommand command, DateTime[] values) =>
        command.With(NpgsqlDbType.Array | NpgsqlDbType.TimestampTz, values);

    public static NpgsqlBatchCommand Instant(this NpgsqlBatchCommand command, DateTimeOffset value) =>
        command.With(NpgsqlDbType.TimestampTz, value.UtcDateTime);
}
