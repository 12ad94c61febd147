using System.Data;
using System.Reflection;
using Dapper;
using LocalPlus.Kernel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// The service's own PostgreSQL database. Reads that need no transaction go through <see cref="QueryAsync"/>;
/// everything else opens a <see cref="DbSession"/>, whose statements share one transaction.
/// </summary>
public sealed class Database(
    NpgsqlDataSource source,
    OutboxSignal outbox,
    TimeProvider time,
    SecretEntry? secrets = null
)
{
    /// <summary>
    /// How long a password that the server does not take is asked for again: role and secret store are changed one
    /// after the other.
    /// </summary>
    private static readonly TimeSpan PasswordWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PasswordPause = TimeSpan.FromMilliseconds(50);

    public NpgsqlDataSource Source { get; } = source;

    /// <summary>
    /// A connection of the pool that knows for whom it is (<see cref="RowSecurity"/>); a new one has the password of
    /// today, however lately it was changed.
    /// </summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancel)
    {
        var connection = await TakeAsync(cancel);
        try
        {
            await RowSecurity.TellAsync(connection, cancel);
            return connection;
        }
        catch
        {
            Preparation.Forget(connection);
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<NpgsqlConnection> TakeAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await Source.OpenConnectionAsync(cancel);
            }
            catch (PostgresException refused)
                when (refused.SqlState == PostgresErrorCodes.InvalidPassword
                    && secrets is not null
                    && time.GetElapsedTime(began) < PasswordWait
                )
            {
                await secrets.RefreshAsync(cancel);
                await Task.Delay(PasswordPause, time, cancel);
            }
        }
    }

    /// <summary>Opens a connection and a READ COMMITTED transaction; rolled back unless committed.</summary>
    public async Task<DbSession> BeginAsync(CancellationToken cancel)
    {
        var connection = await OpenAsync(cancel);
        return new DbSession(connection, await connection.BeginTransactionAsync(cancel), outbox, time, cancel);
    }

    /// <summary>Reads on a connection of the pool, which knows no statement by half afterwards.</summary>
    public async Task<T> ReadAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancel)
    {
        await using var connection = await OpenAsync(cancel);
        try
        {
            return await read(connection);
        }
        catch (Exception failure) when (Preparation.IsInDoubt(failure))
        {
            Preparation.Forget(connection);
            throw;
        }
    }

    public Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? args, CancellationToken cancel) =>
        ReadAsync<IReadOnlyList<T>>(
            async connection => (await Rows<T>.QueryAsync(connection, Statements.Of(sql, args, cancel))).AsList(),
            cancel
        );

    /// <summary>As <see cref="DbSession.SearchAsync"/>, in a transaction of its own.</summary>
    public async Task<IReadOnlyList<T>> SearchAsync<T>(string sql, object? args, CancellationToken cancel)
    {
        await using var db = await BeginAsync(cancel);
        return await db.SearchAsync<T>(sql, args);
    }

    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? args, CancellationToken cancel) =>
        ReadAsync(connection => Rows<T>.SingleOrDefaultAsync(connection, Statements.Of(sql, args, cancel)), cancel);
}

/// <summary>Statements as they are sent: with the token and the time of whoever waits for them.</summary>
internal static class Statements
{
    public static CommandDefinition Of(
        string sql,
        object? args,
        CancellationToken cancel,
        NpgsqlTransaction? transaction = null
    ) => new(sql, args, transaction, RequestDeadline.StatementSeconds, cancellationToken: cancel);
}

internal static class DatabaseRegistration
{
    /// <summary>
    /// Who was let in has a connection (<see cref="AdmissionLimits.Connections"/>), so this is for a server that does
    /// not take new ones.
    /// </summary>
    private const int PoolWaitSeconds = 2;

    /// <summary>The server ends a statement after 5 s; this is for a server that says nothing at all.</summary>
    private const int CommandSeconds = 6;

    public static void AddLocalPlusDatabase(
        this IServiceCollection services,
        IConfiguration configuration,
        ServiceIdentity service
    )
    {
        TypeHandlers.Register(service.Assembly);
        services.AddSingleton(provider =>
        {
            var settings = new NpgsqlConnectionStringBuilder(configuration.Secret("database"))
            {
                ApplicationName = service.Name,
                Timeout = PoolWaitSeconds,
                MaxPoolSize = AdmissionLimits.Connections,
                CommandTimeout = CommandSeconds,
                MaxAutoPrepare = 100,
                AutoPrepareMinUsages = 2,
                // Nobody leaves anything behind in a session (the relay takes back what it listens to and locks).
                NoResetOnClose = true,
                // Statements take sets as arrays, whose length the planner would plan for each time: planned once is
                // cheaper. They go by keys that memory or an SSD holds, where a page at random costs what the next one
                // does. And whoever was not told for whom it works sees no merchant's rows.
                Options =
                    "-c statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=15s "
                    + "-c plan_cache_mode=force_generic_plan -c random_page_cost=1.1 "
                    + $"-c {RowSecurity.Setting}={RowSecurity.Nobody}",
            };
            settings.Remove(nameof(settings.Password));
            var source = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = service.Name };
            // Asked for with each new connection: the role's password changes while this service runs.
            string Password() => new NpgsqlConnectionStringBuilder(configuration.Secret("database")).Password ?? "";
            source.UsePasswordProvider(_ => Password(), (_, _) => ValueTask.FromResult(Password()));
            source.UseLoggerFactory(provider.GetRequiredService<ILoggerFactory>());
            // What polls would make a trace of its own of every look.
            source.ConfigureTracing(tracing =>
                tracing.ConfigureCommandFilter(_ => System.Diagnostics.Activity.Current is not null)
            );
            return source.Build();
        });
        services.AddSingleton<Database>();
        services.AddSingleton<Migrations>();
    }
}

/// <summary>
/// How ids and instants travel between Dapper and PostgreSQL; registered by each service, however many of them one
/// process has.
/// </summary>
internal static class TypeHandlers
{
    /// <param name="services">Where ids are declared beside the kernel's, which everybody knows.</param>
    public static void Register(params Assembly[] services)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset));
        SqlMapper.AddTypeHandler(new InstantHandler());
        foreach (
            var id in services
                .Append(typeof(IId<>).Assembly)
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type =>
                    type.IsValueType
                    && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>))
                )
        )
        {
            SqlMapper.AddTypeHandler(id, Handler(typeof(IdHandler<>), id));
            SqlMapper.AddTypeHandler(id.MakeArrayType(), Handler(typeof(IdsHandler<>), id));
            SqlMapper.AddTypeHandler(
                typeof(Nullable<>).MakeGenericType(id).MakeArrayType(),
                Handler(typeof(OptionalIdsHandler<>), id)
            );
        }
    }

    private static SqlMapper.ITypeHandler Handler(Type handler, Type id) =>
        (SqlMapper.ITypeHandler)Activator.CreateInstance(handler.MakeGenericType(id))!;

    /// <summary>An id, or none; the server is told what kind of nothing it is.</summary>
    private sealed class IdHandler<TId> : SqlMapper.ITypeHandler
        where TId : struct, IId<TId>
    {
        public object Parse(Type destinationType, object value) => TId.From((Guid)value);

        public void SetValue(IDbDataParameter parameter, object value)
        {
            parameter.DbType = DbType.Guid;
            parameter.Value = value is TId id ? id.Value : DBNull.Value;
        }
    }

    /// <summary>A set of ids, as a uuid[].</summary>
    private sealed class IdsHandler<TId> : SqlMapper.TypeHandler<TId[]>
        where TId : struct, IId<TId>
    {
        public override TId[] Parse(object value) => Array.ConvertAll((Guid[])value, TId.From);

        public override void SetValue(IDbDataParameter parameter, TId[]? value) =>
            parameter.Value = Array.ConvertAll(value!, id => id.Value);
    }

    /// <summary>A column of ids that may be missing, as a uuid[].</summary>
    private sealed class OptionalIdsHandler<TId> : SqlMapper.TypeHandler<TId?[]>
        where TId : struct, IId<TId>
    {
        public override TId?[] Parse(object value) =>
            Array.ConvertAll((Guid?[])value, id => id is { } known ? TId.From(known) : (TId?)null);

        public override void SetValue(IDbDataParameter parameter, TId?[]? value) =>
            parameter.Value = Array.ConvertAll(value!, id => id?.Value);
    }

    private sealed class InstantHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override DateTimeOffset Parse(object value) =>
            value switch
            {
                DateTimeOffset instant => instant,
                DateTime instant => new DateTimeOffset(DateTime.SpecifyKind(instant, DateTimeKind.Utc)),
                _ => throw new InvalidCastException($"Not an instant: {value.GetType()}"),
            };

        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) =>
            parameter.Value = value.UtcDateTime;
    }
}
