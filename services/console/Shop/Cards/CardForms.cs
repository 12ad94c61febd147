using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Cards;

/// <summary>The forms about cards: sell, load, block, unblock, replace. A code is shown once, in the answer.</summary>
internal static class CardForms
{
    public static RouteGroupBuilder MapCardForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/cards", SellAsync);
        shop.MapPost("/cards/{id}/load", LoadAsync);
        shop.MapPost("/cards/{id}/replace", ReplaceAsync);
        shop.MapPost("/cards/{id}/{verb:regex(^(block|unblock)$)}", ToggleAsync);
        return shop;
    }

    private static async Task<IResult> SellAsync(
        [FromForm] string program,
        [FromForm] string amount,
        [FromForm] string? email,
        [FromForm] string? reference,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        var terms = await platform.GetAsync<CardProgram>($"/v1/programs/{Uri.EscapeDataString(program)}");
        Telemetry.Acted("card");
        var card = await platform.PostAsync<GiftCard>(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = Amounts.Parse(amount, terms.Currency),
                recipient = string.IsNullOrWhiteSpace(email) ? null : new { email = email.Trim() },
                reference = string.IsNullOrWhiteSpace(reference) ? null : reference.Trim(),
            },
            Once.Of(once)
        );
        return Show("The card is sold", card);
    }

    private static async Task<IResult> LoadAsync(
        string id,
        [FromForm] string amount,
        [FromForm] string currency,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("card");
        await platform.PostAsync<GiftCard>(
            $"{Path(id)}/load",
            new { amount = Amounts.Parse(amount, currency) },
            Once.Of(once)
        );
        return Page(id);
    }

    private static async Task<IResult> ReplaceAsync(
        string id,
        [FromForm] string reason,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("card");
        var heir = await platform.PostAsync<GiftCard>($"{Path(id)}/replace", new { reason }, Once.Of(once));
        return Show("The card is replaced", heir);
    }

    private static async Task<IResult> ToggleAsync(
        string id,
        string verb,
        [FromForm] string reason,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("card");
        await platform.PostAsync<GiftCard>($"{Path(id)}/{verb}", new { reason }, Once.Of(once));
        return Page(id);
    }

    private static IResult Show(string title, GiftCard card)
    {
        (string, string)[] pin = card.Pin is { } secret ? [("PIN", secret)] : [];
        return ShownOnce.Answer(
            title,
            $"{ShopFeature.Root}/cards/{card.Id}",
            [("Code", card.Code ?? ""), .. pin, ("Money", $"{card.Balance}")]
        );
    }

    private static string Path(string id) => $"/v1/gift_cards/{Uri.EscapeDataString(id)}";

    private static IResult Page(string id) =>
        Results.LocalRedirect($"{ShopFeature.Root}/cards/{Uri.EscapeDataString(id)}");
}
