using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>A scheduled job: run by a CronJob as "job NAME", safe to run twice at once.</summary>
public interface IJob
{
    Task RunAsync(CancellationToken cancel);
}

/// <summary>The jobs that a service knows, by the name that its CronJob says.</summary>
public static class Jobs
{
    /// <summary>Makes <typeparamref name="TJob"/> callable as "job <paramref name="name"/>".</summary>
    public static void AddJob<TJob>(this IServiceCollection services, string name)
        where TJob : class, IJob => services.AddKeyedSingleton<IJob, TJob>(name);

    internal static async Task<int> RunAsync(IServiceProvider services, string name)
    {
        if (services.GetKeyedService<IJob>(name) is not { } job)
        {
            await Console.Error.WriteLineAsync($"no job is named '{name}'");
            return 2;
        }

        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Jobs));
        var time = services.GetRequiredService<TimeProvider>();
        var start = time.GetTimestamp();
        try
        {
            await job.RunAsync(CancellationToken.None);
            log.JobEnded(name, time.GetElapsedTime(start).TotalMilliseconds);
            return 0;
        }
        catch (Exception exception)
        {
            log.JobFailed(name, exception);
            return 1;
        }
    }
}
