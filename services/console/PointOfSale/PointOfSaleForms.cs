using LocalPlus.Console.Api;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.PointOfSale;

/// <summary>The forms of the till: take, hold or look up a card; say where the till stands.</summary>
internal static class PointOfSaleForms
{
    public static RouteGroupBuilder MapPointOfSaleForms(this RouteGroupBuilder till)
    {
        till.MapPost("", ActAsync);
        till.MapPost("/place", StandAsync);
        return till;
    }

    private static async Task<IResult> ActAsync(
        [FromForm] string act,
        [FromForm] string code,
        [FromForm] string? pin,
        [FromForm] string? amount,
        [FromForm] string currency,
        [FromForm] string? partial,
        [FromForm] string? reference,
        [FromForm] string once,
        HttpContext http,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("till");
        var card = new { code, pin = Filled(pin) };
        if (act == "look")
        {
            var found = await platform.PostAsync<GiftCard>("/v1/gift_cards/lookup", card);
            return new RazorComponentResult<PointOfSaleAnswer>(new { Card = found });
        }

        var place = PointOfSalePlace.Of(http);
        var redemption = await platform.PostAsync<Redemption>(
            "/v1/redemptions",
            new
            {
                mode = act == "hold" ? "two_phase" : "immediate",
                amount = Amounts.Parse(amount ?? "", currency),
                sources = new[] { new { gift_card = card } },
                partial = partial == "allow" ? "allow" : null,
                location_id = place?.LocationId,
                terminal_id = place?.TerminalId,
                reference = Filled(reference),
            },
            Once.Of(once)
        );
        return Results.LocalRedirect($"{PointOfSaleFeature.Root}?redemption={redemption.Id}");
    }

    private static Task<IResult> StandAsync([FromForm] string place, HttpContext http, ConsoleSettings settings)
    {
        PointOfSalePlace.Parse(place)?.Keep(http, settings);
        return Task.FromResult(Results.LocalRedirect(PointOfSaleFeature.Root));
    }

    private static string? Filled(string? field) => string.IsNullOrWhiteSpace(field) ? null : field.Trim();
}
