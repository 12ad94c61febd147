using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace LocalPlus.Hosting;

/// <summary>What happens to the first who reaches an armed failpoint.</summary>
public enum FailAction
{
    /// <summary>The process is killed as by kill -9: nothing is flushed, nobody is told.</summary>
    Crash,

    /// <summary>
    /// Waits until the failpoint is released, so that a test can do something to the world at this instant.
    /// </summary>
    Pause,

    /// <summary>Throws <see cref="FailpointException"/>.</summary>
    Error,
}

/// <summary>What an armed failpoint of action Error throws.</summary>
public sealed class FailpointException(string name) : Exception($"Failpoint {name} was armed to fail.");

/// <summary>
/// Named instants at which a test may kill, pause or fail a service: a step's name and where in it. They exist only in
/// a process whose LP_FAILPOINTS is set ("PlaceHold.before=crash,publish.committed=pause", or empty to arm later
/// through PUT /internal/failpoints/NAME); such a process refuses to start in Production. Otherwise reaching one costs
/// a null check.
/// </summary>
public static class Failpoints
{
    public const string Variable = "LP_FAILPOINTS";
    private static ConcurrentDictionary<string, Failpoint>? armed;

    /// <summary>Nothing has happened yet.</summary>
    public static Task BeforeAsync(string step) => armed is null ? Task.CompletedTask : ReachAsync($"{step}.before");

    /// <summary>The effect is durable where it belongs, and whoever asked for it does not know yet.</summary>
    public static Task CommittedAsync(string step) =>
        armed is null ? Task.CompletedTask : ReachAsync($"{step}.committed");

    /// <summary>Whoever asked has the answer and has done nothing with it.</summary>
    public static Task AnsweredAsync(string step) =>
        armed is null ? Task.CompletedTask : ReachAsync($"{step}.answered");

    internal static void Configure(WebApplicationBuilder builder)
    {
        if (builder.Configuration[Variable] is not { } text)
        {
            return;
        }

        if (builder.Environment.IsProduction())
        {
            throw new InvalidOperationException(
                $"{Variable} is set: failpoints are for tests, a service in production does not start with them."
            );
        }

        var points = new ConcurrentDictionary<string, Failpoint>(StringComparer.Ordinal);
        foreach (var point in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (name, action) =
                point.Split('=') is [var left, var right]
                && Enum.TryParse<FailAction>(right, ignoreCase: true, out var known)
                    ? (left, known)
                    : throw new InvalidOperationException($"{Variable}: '{point}' is not NAME=crash|pause|error.");
            points[name] = new Failpoint(action);
        }

        armed = points;
    }

    internal static void MapFailpoints(this WebApplication app)
    {
        if (armed is null)
        {
            return;
        }

        var points = app.MapInternal()
            .MapGroup("/failpoints")
            .WithMetadata(new FailpointEndpoint())
            .ExcludeFromDescription();
        points.MapPut(
            "/{name}",
            (string name, string action) =>
                Show(armed[name] = new Failpoint(Enum.Parse<FailAction>(action, ignoreCase: true)))
        );
        points.MapGet(
            "/{name}",
            (string name) => armed.TryGetValue(name, out var point) ? Show(point) : Results.NotFound()
        );
        points.MapDelete(
            "/{name}",
            (string name) =>
            {
                if (armed.TryRemove(name, out var point))
                {
                    point.Release();
                }

                return Results.NoContent();
            }
        );
    }

    private static Task ReachAsync(string name) =>
        armed!.TryGetValue(name, out var point) && point.IsFirst() ? point.ActAsync(name) : Task.CompletedTask;

    private static IResult Show(Failpoint point) =>
        Results.Json(new { action = point.Action.ToString(), reached = point.Reached });

    private sealed class Failpoint(FailAction action)
    {
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int visitors;

        public FailAction Action => action;

        public bool Reached => Volatile.Read(ref visitors) > 0;

        public bool IsFirst() => Interlocked.Increment(ref visitors) == 1;

        public void Release() => released.TrySetResult();

        public async Task ActAsync(string name)
        {
            switch (action)
            {
                case FailAction.Crash:
                    Process.GetCurrentProcess().Kill();
                    await Task.Delay(Timeout.Infinite);
                    break;
                case FailAction.Error:
                    throw new FailpointException(name);
                default:
                    await released.Task;
                    break;
            }
        }
    }
}

/// <summary>There only where a test armed failpoints.</summary>
internal sealed record FailpointEndpoint;
