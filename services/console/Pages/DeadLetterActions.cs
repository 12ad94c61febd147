using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Pages;

/// <summary>The forms of the dead letters' pages: replay or discard one, replay a topic's.</summary>
internal static class DeadLetterActions
{
    public static void MapDeadLetterActions(this WebApplication app)
    {
        var letters = app.MapGroup($"{ConsoleService.Root}/dead-letters/{{service}}")
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();
        letters.MapPost("/{id:long}/{verb:regex(^(replay|discard)$)}", DecideAsync);
        letters.MapPost("/replay", ReplayAsync);
    }

    private static async Task<IResult> DecideAsync(
        string service,
        long id,
        string verb,
        [FromForm] string reason,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        if (!Services.WithEvents.Contains(service))
        {
            return Results.NotFound();
        }

        Telemetry.Acted("dead_letter");
        await platform.PostAsync($"/ops/v1/{service}/dead_letters/{id}/{verb}", new { reason });
        return Results.LocalRedirect($"{ConsoleService.Root}/dead-letters/{service}/{id}");
    }

    private static async Task<IResult> ReplayAsync(
        string service,
        [FromForm] string topic,
        [FromForm] string? error,
        [FromForm] string reason,
        [FromForm] string act,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        if (!Services.WithEvents.Contains(service))
        {
            return Results.NotFound();
        }

        Telemetry.Acted("dead_letters");
        var result = await platform.PostAsync(
            $"/ops/v1/{service}/dead_letters/replay",
            new
            {
                reason,
                topic,
                error = string.IsNullOrWhiteSpace(error) ? null : error.Trim(),
                dry_run = act != "replay",
            }
        );
        var query = QueryString
            .Create("service", service)
            .Add("topic", topic)
            .Add("error", error ?? "")
            .Add(
                act == "replay" ? "replayed" : "matched",
                $"{result.GetProperty(act == "replay" ? "replayed" : "matched")}"
            );
        return Results.LocalRedirect($"{ConsoleService.Root}/dead-letters{query}");
    }
}
