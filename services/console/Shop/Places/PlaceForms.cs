using LocalPlus.Console.Api;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Places;

/// <summary>The forms about places and the tills in them.</summary>
internal static class PlaceForms
{
    public static RouteGroupBuilder MapPlaceForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/places", AddPlaceAsync);
        shop.MapPost("/places/{id}/tills", AddTillAsync);
        shop.MapPost("/places/{id}/tills/{till}/{verb:regex(^(block|unblock)$)}", ToggleTillAsync);
        return shop;
    }

    private static async Task<IResult> AddPlaceAsync(
        [FromForm] string name,
        [FromForm(Name = "time_zone")] string? timeZone,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("place");
        var zone = string.IsNullOrWhiteSpace(timeZone) ? null : timeZone.Trim();
        await platform.PostAsync<Place>("/v1/locations", new { name, time_zone = zone }, Once.Of(once));
        return Page();
    }

    private static async Task<IResult> AddTillAsync(
        string id,
        [FromForm] string name,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("till");
        await platform.PostAsync<Terminal>($"{Path(id)}/terminals", new { name }, Once.Of(once));
        return Page();
    }

    private static async Task<IResult> ToggleTillAsync(
        string id,
        string till,
        string verb,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("till");
        var path = $"{Path(id)}/terminals/{Uri.EscapeDataString(till)}/{verb}";
        await platform.PostAsync<Terminal>(path, new { }, Once.Of(once));
        return Page();
    }

    private static string Path(string id) => $"/v1/locations/{Uri.EscapeDataString(id)}";

    private static IResult Page() => Results.LocalRedirect($"{ShopFeature.Root}/places");
}
