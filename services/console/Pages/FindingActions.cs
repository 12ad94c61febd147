using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Pages;

/// <summary>POST /console/findings/{id}/acknowledge: somebody says what a finding was.</summary>
internal static class FindingActions
{
    public static void MapFindingActions(this WebApplication app) =>
        app.MapPost($"{ConsoleService.Root}/findings/{{id:long}}/acknowledge", HandleAsync)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();

    private static async Task<IResult> HandleAsync(
        long id,
        [FromForm] string reason,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("finding");
        await platform.PostAsync($"/ops/v1/ledger/findings/{id}/acknowledge", new { reason });
        return Results.LocalRedirect($"{ConsoleService.Root}/findings");
    }
}
