using System.Globalization;
using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Pages;

/// <summary>The forms of the dead letters' pages: replay or discard one, replay a topic's or put them aside.</summary>
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
        letters.MapPost("/aside", LookAsync);
        letters.MapPost("/aside/{verb:regex(^(discard|archive)$)}", PutAsideAsync);
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

    /// <summary>The page that says which are meant is where they are put aside.</summary>
    private static IResult LookAsync(string service, [FromForm] string topic, [FromForm] string? error) =>
        Services.WithEvents.Contains(service)
            ? Results.LocalRedirect(
                $"{ConsoleService.Root}/dead-letters/{service}/aside"
                    + QueryString.Create("topic", topic).Add("error", error?.Trim() ?? "")
            )
            : Results.NotFound();

    private static async Task<IResult> PutAsideAsync(
        string service,
        string verb,
        [FromForm] string topic,
        [FromForm] string? error,
        [FromForm] string reason,
        [FromForm] string count,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        if (!Services.WithEvents.Contains(service))
        {
            return Results.NotFound();
        }

        // What is no number is the number of no letters.
        var typed = int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : int.MaxValue;
        Telemetry.Acted("dead_letters");
        var result = await platform.PostAsync<DeadLettersAside>(
            $"/ops/v1/{service}/dead_letters/{verb}",
            new
            {
                reason,
                topic,
                error = string.IsNullOrWhiteSpace(error) ? null : error.Trim(),
                count = typed,
            }
        );
        var query = QueryString.Create("service", service).Add("aside", $"{result.PutAside}");
        return Results.LocalRedirect($"{ConsoleService.Root}/dead-letters{query}");
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
