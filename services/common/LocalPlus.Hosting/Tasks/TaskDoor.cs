using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>
/// Where the queues' components ring, and where dead letters of tasks go when an operator replays them: the task gets
/// another round of tries.
/// </summary>
internal sealed class TaskDoor(string topic) : IConsumer
{
    /// <summary>The one topic of a service in the component of each of its queues.</summary>
    public static string TopicOf(ServiceIdentity service) => $"tasks.{service.Name}";

    public string Topic => topic;

    /// <summary>A ring names its queue, and its topic, in case it comes back as a dead letter.</summary>
    internal sealed record Ring(string Topic, string Queue);

    private sealed record Letter(string? Queue = null, Guid? TaskId = null);

    public async Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        var bell = services.GetRequiredService<TaskBell>();
        foreach (var arrival in arrivals)
        {
            if (Read(arrival.Body) is not { Queue: { } queue } letter)
            {
                subscriber.Log.EventRefused(topic, "not a ring");
                continue;
            }

            if (letter.TaskId is { } task)
            {
                var cause = await subscriber.Pause.TryAsync(
                    () => services.GetRequiredService<TaskStore>().ReviveAsync(task, cancel),
                    cancel
                );
                if (cause is not null)
                {
                    return false;
                }
            }

            bell.Here(queue);
        }

        return true;
    }

    private static Letter? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize<Letter>(body, StrictJson.Lenient);
        }
        catch (JsonException)
        {
            // Somebody else's: told above.
            return null;
        }
    }
}

/// <summary>What a service says to have tasks.</summary>
public static class TasksRegistration
{
    /// <summary>Does the tasks of a kind, in the workers of its queue.</summary>
    public static void AddTask<THandler>(this IServiceCollection services)
        where THandler : class, ITaskHandler
    {
        services.AddSingleton<THandler>();
        services.AddSingleton<ITaskHandler>(all => all.GetRequiredService<THandler>());
    }

    internal static void AddTasks(this IServiceCollection services)
    {
        services.AddSingleton<TaskStore>();
        services.AddSingleton<TaskBell>();
        services.AddSingleton(all => new TaskQueue(
            all.GetServices<ITaskHandler>(),
            all.GetRequiredService<TaskBell>(),
            all.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(TaskStore.Forget);
        services.AddHostedService(all => all.GetRequiredService<TaskBell>());
        services.AddHostedService<TaskWorkers>();
    }

    /// <summary>
    /// Of a service that has tasks: POST /events/tasks.{service} for the bell, and what operators see below
    /// /ops/v1/{service}/tasks.
    /// </summary>
    internal static void MapTasks(this WebApplication app)
    {
        // Asked for without making any: what a handler needs is not there while a schema is migrated.
        if (!app.Services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(ITaskHandler)))
        {
            return;
        }

        var service = app.Services.GetRequiredService<ServiceIdentity>();
        app.MapOperatorApi().MapGroup($"/{service.Name}/tasks").MapListTasks();
        var door = new TaskDoor(TaskDoor.TopicOf(service));
        app.MapDoor(door, "RingTasks");
    }
}
