using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Webhooks;

/// <summary>The forms about webhook endpoints. A secret is shown once, in the answer.</summary>
internal static class WebhookForms
{
    public static RouteGroupBuilder MapWebhookForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/webhooks", CreateAsync);
        shop.MapPost("/webhooks/{id}/test", TestAsync);
        shop.MapPost("/webhooks/{id}/roll_secret", RollSecretAsync);
        shop.MapPost("/webhooks/{id}/deliveries/{eventId}", RedeliverAsync);
        shop.MapPost("/webhooks/{id}/delete", DeleteAsync).RequireForm();
        return shop;
    }

    private static async Task<IResult> CreateAsync(
        [FromForm] string url,
        [FromForm] string? description,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("webhook");
        var what = string.IsNullOrWhiteSpace(description) ? null : description.Trim();
        return Show(
            await platform.PostAsync<WebhookEndpoint>(
                "/v1/webhook_endpoints",
                new { url, description = what },
                Once.Of(once)
            )
        );
    }

    private static async Task<IResult> TestAsync(
        string id,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("webhook");
        await platform.PostAsync<WebhookDelivery>($"{Path(id)}/test", new { }, Once.Of(once));
        return Page(id);
    }

    private static async Task<IResult> RollSecretAsync(
        string id,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("webhook");
        return Show(await platform.PostAsync<WebhookEndpoint>($"{Path(id)}/roll_secret", new { }, Once.Of(once)));
    }

    private static async Task<IResult> RedeliverAsync(
        string id,
        string eventId,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("webhook");
        var path = $"{Path(id)}/deliveries/{Uri.EscapeDataString(eventId)}/redeliver";
        await platform.PostAsync<WebhookDelivery>(path, new { }, Once.Of(once));
        return Page(id);
    }

    private static async Task<IResult> DeleteAsync(string id, Platform platform, ConsoleSettings settings)
    {
        settings.RequireWritable();
        Telemetry.Acted("webhook");
        await platform.DeleteAsync(Path(id));
        return Results.LocalRedirect($"{ShopFeature.Root}/webhooks");
    }

    private static string Path(string id) => $"/v1/webhook_endpoints/{Uri.EscapeDataString(id)}";

    private static IResult Page(string id) =>
        Results.LocalRedirect($"{ShopFeature.Root}/webhooks/{Uri.EscapeDataString(id)}");

    private static IResult Show(WebhookEndpoint endpoint) =>
        ShownOnce.Answer(
            "The secret",
            $"{ShopFeature.Root}/webhooks/{endpoint.Id}",
            ("Address", endpoint.Url),
            ("Secret", endpoint.Secret ?? "")
        );
}
