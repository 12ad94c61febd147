using System.Collections.Frozen;
using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Keys;

/// <summary>The forms about API keys: make, rotate, revoke. A key is shown once, in the answer.</summary>
internal static class KeyForms
{
    /// <summary>How long the old key stays good after a rotation, in seconds: time to change settings.</summary>
    private const int OverlapSeconds = 24 * 3600;

    /// <summary>What a key may, by what it is for; other sets of scopes are made by the API.</summary>
    public static readonly FrozenDictionary<string, string[]> Purposes = new Dictionary<string, string[]>
    {
        ["a till"] =
        [
            "gift_cards:read",
            "gift_cards:write",
            "programs:read",
            "redemptions:read",
            "redemptions:write",
            "locations:read",
        ],
        ["a web shop"] =
        [
            "gift_cards:read",
            "gift_cards:write",
            "programs:read",
            "redemptions:read",
            "redemptions:write",
            "customers:read",
            "customers:write",
            "events:read",
        ],
        ["reports"] = ["reports:read", "events:read"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static RouteGroupBuilder MapKeyForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/keys", CreateAsync);
        shop.MapPost("/keys/{id}/rotate", RotateAsync);
        shop.MapPost("/keys/{id}/revoke", RevokeAsync).RequireForm();
        return shop;
    }

    private static async Task<IResult> CreateAsync(
        [FromForm] string name,
        [FromForm] string purpose,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        var scopes =
            Purposes.GetValueOrDefault(purpose)
            ?? throw new ApiRefusalException(StatusCodes.Status400BadRequest, "invalid_request", purpose, null);
        Telemetry.Acted("key");
        return Show(await platform.PostAsync<ApiKey>("/v1/api_keys", new { name, scopes }, Once.Of(once)));
    }

    private static async Task<IResult> RotateAsync(
        string id,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("key");
        var path = $"/v1/api_keys/{Uri.EscapeDataString(id)}/rotate";
        return Show(await platform.PostAsync<ApiKey>(path, new { overlap_seconds = OverlapSeconds }, Once.Of(once)));
    }

    private static async Task<IResult> RevokeAsync(string id, Platform platform, ConsoleSettings settings)
    {
        settings.RequireWritable();
        Telemetry.Acted("key");
        await platform.DeleteAsync($"/v1/api_keys/{Uri.EscapeDataString(id)}");
        return Results.LocalRedirect($"{ShopFeature.Root}/keys");
    }

    private static IResult Show(ApiKey key) =>
        ShownOnce.Answer("The key", $"{ShopFeature.Root}/keys", ("Name", key.Name), ("Key", key.Key ?? ""));
}
