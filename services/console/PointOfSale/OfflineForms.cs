using System.Globalization;
using System.Text.Json;
using LocalPlus.Console.Api;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.PointOfSale;

/// <summary>
/// What the till's script asks for: an allowance to sell without a network, and taking in what was sold meanwhile. The
/// queue is the browser's, hash-linked as <c>POST /v1/terminals/{id}/offline_batches</c> wants it.
/// </summary>
internal static class OfflineForms
{
    private const int SecondsPerHour = 3600;

    public static RouteGroupBuilder MapOfflineForms(this RouteGroupBuilder till)
    {
        till.MapPost("/allowance", AllowAsync);
        till.MapPost("/upload", UploadAsync).RequireForm();
        return till;
    }

    private static async Task<IResult> AllowAsync(
        [FromForm(Name = "card_cap")] string cardCap,
        [FromForm(Name = "total_cap")] string totalCap,
        [FromForm] string currency,
        [FromForm] string hours,
        [FromForm] string once,
        HttpContext http,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        var place = Place(http);
        Telemetry.Acted("allowance");
        var allowance = await platform.PostAsync<JsonElement>(
            $"/v1/terminals/{Uri.EscapeDataString(place.TerminalId)}/offline_allowances",
            new
            {
                card_cap = Amounts.Parse(cardCap, currency),
                total_cap = Amounts.Parse(totalCap, currency),
                valid_seconds = int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    ? number * SecondsPerHour
                    : 0,
                location_id = place.LocationId,
            },
            Once.Of(once)
        );
        return Results.Json(allowance);
    }

    private static async Task<IResult> UploadAsync([FromBody] Batch batch, Platform platform, ConsoleSettings settings)
    {
        settings.RequireWritable();
        Telemetry.Acted("offline_batch");
        var path = $"/v1/terminals/{Uri.EscapeDataString(batch.TerminalId)}/offline_batches";
        return Results.Json(
            await platform.PostAsync<JsonElement>(path, new { allowance = batch.Allowance, items = batch.Items })
        );
    }

    private static PointOfSalePlace Place(HttpContext http) =>
        PointOfSalePlace.Of(http)
        ?? throw new ApiRefusalException(
            StatusCodes.Status400BadRequest,
            "invalid_request",
            "Say first where this till stands.",
            null
        );

    internal sealed record Batch(string TerminalId, string Allowance, JsonElement Items);
}
