using System.Globalization;
using LocalPlus.Console.Api;
using LocalPlus.Console.Pages;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalPlus.Console.Bulks;

/// <summary>
/// The forms about many runs at once: choose (of the runs' page, with its filters), start, pause, go on, cancel.
/// </summary>
internal static class BulkForms
{
    public const string Root = $"{ConsoleService.Root}/runs/bulks";
    private const string Api = "/ops/v1/runs/bulks";

    /// <summary>What the runs' page filters by.</summary>
    private static readonly string[] Filters =
    [
        "health",
        "state",
        "run_state",
        "merchant_id",
        "step",
        "older_than_seconds",
        "error",
    ];

    public static void MapBulkForms(this WebApplication app)
    {
        var bulks = app.MapGroup(Root)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();
        bulks.MapPost("", ChooseAsync);
        bulks.MapPost("/{id}/start", StartAsync);
        bulks.MapPost("/{id}/{verb:regex(^(pause|continue|cancel)$)}", SteerAsync);
    }

    private static async Task<IResult> ChooseAsync(
        [FromForm] string? filter,
        [FromForm] string verb,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("bulk");
        var known = QueryHelpers
            .ParseQuery(filter)
            .Where(part => Filters.Contains(part.Key))
            .Select(part => KeyValuePair.Create(part.Key, (string?)part.Value.ToString()));
        var path = $"{Api}{QueryString.Create(known)}";
        var preview = await platform.PostAsync<RunBulkDetail>(path, new { verb }, Once.Of(once));
        return Page(preview.Bulk.Id);
    }

    private static async Task<IResult> StartAsync(
        string id,
        [FromForm] string verb,
        [FromForm] string reason,
        [FromForm] string count,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        if (!RunVerb.OfBulks.Any(known => known.Verb == verb))
        {
            return Results.NotFound();
        }

        // What is no number is the number of no bulk.
        var typed = int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
        Telemetry.Acted("bulk");
        await platform.PostAsync<RunBulk>($"{Path(id)}/start/{verb}", new { reason, count = typed }, Once.Of(once));
        return Page(id);
    }

    private static async Task<IResult> SteerAsync(
        string id,
        string verb,
        [FromForm] string reason,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("bulk");
        await platform.PostAsync<RunBulk>($"{Path(id)}/{verb}", new { reason });
        return Page(id);
    }

    private static string Path(string id) => $"{Api}/{Uri.EscapeDataString(id)}";

    private static IResult Page(string id) => Results.LocalRedirect($"{Root}/{Uri.EscapeDataString(id)}");
}
