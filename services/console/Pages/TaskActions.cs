using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;

namespace LocalPlus.Console.Pages;

/// <summary>POST /console/tasks/{service}/{id}/cancel: no more of a task.</summary>
internal static class TaskActions
{
    public static void MapTaskActions(this WebApplication app) =>
        app.MapPost($"{ConsoleService.Root}/tasks/{{service}}/{{id:guid}}/cancel", HandleAsync)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription()
            .RequireForm();

    private static async Task<IResult> HandleAsync(string service, Guid id, Platform platform, ConsoleSettings settings)
    {
        settings.RequireWritable();
        if (!Services.WithTasks.Contains(service))
        {
            return Results.NotFound();
        }

        Telemetry.Acted("task");
        await platform.PostAsync($"/ops/v1/{service}/tasks/{id}/cancel", new { });
        return Results.LocalRedirect($"{ConsoleService.Root}/tasks");
    }
}
