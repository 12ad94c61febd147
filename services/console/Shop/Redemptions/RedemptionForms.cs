using LocalPlus.Console.Api;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Redemptions;

/// <summary>The forms about a redemption: confirm or cancel what is held, refund what was paid.</summary>
internal static class RedemptionForms
{
    public static RouteGroupBuilder MapRedemptionForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/redemptions/{id}/{verb:regex(^(confirm|cancel|refund)$)}", HandleAsync);
        return shop;
    }

    private static async Task<IResult> HandleAsync(
        string id,
        string verb,
        [FromForm] string? amount,
        [FromForm] string currency,
        [FromForm] string? reason,
        [FromForm] string back,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        var part = string.IsNullOrWhiteSpace(amount) ? null : Amounts.Parse(amount, currency);
        var why = string.IsNullOrWhiteSpace(reason) ? null : reason.Trim();
        var (door, body) = verb switch
        {
            "confirm" => ("confirm", (object)new { amount = part }),
            "cancel" => ("cancel", new { reason = why }),
            _ => ("refunds", new { amount = part, reason = why }),
        };
        Telemetry.Acted("redemption");
        await platform.PostAsync<System.Text.Json.JsonElement>(
            $"/v1/redemptions/{Uri.EscapeDataString(id)}/{door}",
            body,
            Once.Of(once)
        );
        return Results.LocalRedirect(ConsoleService.IsOwn(back) ? back : $"{ShopFeature.Root}/redemptions/{id}");
    }
}
