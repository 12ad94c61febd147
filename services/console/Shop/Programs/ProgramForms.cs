using System.Globalization;
using LocalPlus.Console.Api;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Programs;

/// <summary>POST /console/shop/programs: a new programme.</summary>
internal static class ProgramForms
{
    public static RouteGroupBuilder MapProgramForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/programs", HandleAsync);
        return shop;
    }

    private static async Task<IResult> HandleAsync(
        [FromForm] string name,
        [FromForm] string currency,
        [FromForm(Name = "validity_days")] string? validityDays,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        int? days = int.TryParse(validityDays, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
        Telemetry.Acted("program");
        await platform.PostAsync<CardProgram>(
            "/v1/programs",
            new
            {
                name,
                currency,
                validity_days = days,
            },
            Once.Of(once)
        );
        return Results.LocalRedirect($"{ShopFeature.Root}/programs");
    }
}
