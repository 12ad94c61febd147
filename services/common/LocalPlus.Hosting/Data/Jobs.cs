using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>A scheduled job: run by a CronJob as "job NAME", safe to run twice at once.</summary>
public interface IJob
{
    Task RunAsync(CancellationToken cancel);
}

/// <summary>The name of a job that the service has.</summary>
internal sealed record JobName(string Name);

/// <summary>The jobs that a service knows, by the name that its CronJob says; each run of one leaves a row.</summary>
public static class Jobs
{
    private const int MaxErrorLength = 200;

    /// <summary>How long it is known that a job ran.</summary>
    internal static readonly Chore Forget = new("job_runs", TimeSpan.FromDays(400), Sql.Forget);

    /// <summary>Makes <typeparamref name="TJob"/> callable as "job <paramref name="name"/>".</summary>
    public static void AddJob<TJob>(this IServiceCollection services, string name)
        where TJob : class, IJob
    {
        services.AddKeyedSingleton<IJob, TJob>(name);
        services.AddSingleton(new JobName(name));
    }

    internal static async Task<int> RunAsync(IServiceProvider services, string name)
    {
        if (services.GetKeyedService<IJob>(name) is not { } job)
        {
            await Console.Error.WriteLineAsync($"no job is named '{name}'");
            return 2;
        }

        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Jobs));
        var time = services.GetRequiredService<TimeProvider>();
        var database = services.GetRequiredService<Database>();
        var (start, run) = (time.GetTimestamp(), Guid.CreateVersion7(time.GetUtcNow()));
        try
        {
            await WriteAsync(database, Sql.Begin, run, name, null, time);
            await job.RunAsync(CancellationToken.None);
            await WriteAsync(database, Sql.End, run, name, null, time);
            log.JobEnded(name, time.GetElapsedTime(start).TotalMilliseconds);
            return 0;
        }
        catch (Exception exception)
        {
            log.JobFailed(name, exception);
            await TellAsync(database, run, name, exception, time, log);
            return 1;
        }
    }

    /// <summary>The job's failure may be the database's: then only the log tells it.</summary>
    private static async Task TellAsync(
        Database database,
        Guid run,
        string name,
        Exception cause,
        TimeProvider time,
        ILogger log
    )
    {
        try
        {
            var error = FailureText.Of(cause);
            await WriteAsync(database, Sql.End, run, name, error[..Math.Min(error.Length, MaxErrorLength)], time);
        }
        catch (Exception unwritten)
        {
            log.JobFailed(name, unwritten);
        }
    }

    private static async Task WriteAsync(
        Database database,
        string sql,
        Guid run,
        string name,
        string? error,
        TimeProvider time
    )
    {
        await using var db = await database.BeginAsync(CancellationToken.None);
        await db.ExecuteAsync(
            sql,
            new
            {
                RunId = run,
                Name = name,
                Error = error,
                Now = time.GetUtcNow(),
            }
        );
        await db.CommitAsync();
    }

    private static class Sql
    {
        public const string Begin = """
            INSERT INTO job_runs (run_id, name, outcome, started_at)
            VALUES (@RunId, @Name, 'running', @Now)
            """;

        public const string End = """
            UPDATE job_runs
               SET outcome = CASE WHEN @Error::text IS NULL THEN 'done' ELSE 'failed' END, error = @Error,
                   ended_at = @Now
             WHERE run_id = @RunId
            """;

        public const string Forget = """
            DELETE FROM job_runs
             WHERE run_id IN (SELECT run_id
                                FROM job_runs
                               WHERE started_at <= @Before
                               ORDER BY started_at
                               LIMIT @Take)
            """;
    }
}
