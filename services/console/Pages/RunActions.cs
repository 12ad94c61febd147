using System.Globalization;
using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Pages;

/// <summary>
/// POST /console/runs/{id}/{verb}: a form of a run's page; the platform decides, and its page says so.
/// </summary>
internal static class RunActions
{
    public static void MapRunActions(this WebApplication app) =>
        app.MapPost($"{ConsoleService.Root}/runs/{{id}}/{{verb}}", HandleAsync)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();

    /// <summary>A field that was left empty is an empty text, which is no number.</summary>
    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static async Task<IResult> HandleAsync(
        string id,
        string verb,
        [FromForm] string reason,
        [FromForm] string? amount,
        [FromForm] string? seconds,
        [FromForm] string? step,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        if (RunVerb.Find(verb) is null)
        {
            return Results.NotFound();
        }

        object body = verb switch
        {
            "confirm" => new { reason, amount = Number(amount) },
            "extend" => new { reason, seconds = Number(seconds) ?? 0 },
            "skip" => new { reason, step = step ?? "" },
            _ => new { reason },
        };
        Telemetry.Acted("run");
        await platform.PostAsync($"/ops/v1/runs/{Uri.EscapeDataString(id)}/{verb}", body);
        return Results.LocalRedirect($"{ConsoleService.Root}/runs/{Uri.EscapeDataString(id)}?done={verb}");
    }
}
