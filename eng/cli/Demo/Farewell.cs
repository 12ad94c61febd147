using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>The holder of the card asks what is kept, and to be forgotten; the books stay what they were.</summary>
internal sealed class Farewell(Shop shop, Story story, Narrator narrator, CancellationToken cancel)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(45);

    public async Task TellAsync(SoldCard card)
    {
        Narrator.Chapter("A customer is exported and erased");
        var found = await shop.AskAsync("/v1/customers/find", new JsonObject { ["email"] = card.Email });
        narrator.Check(found.Text("data.0.name") == "Ada", "the holder is found by her address", found);
        var path = $"/v1/customers/{found.Text("data.0.id")}";

        var export = await shop.ReadAsync($"{path}/export");
        Narrator.Show($"GET {path}/export", export, "customer.email", "gift_cards.0.id", "messages.0.kind");
        narrator.Check(
            export.Text("customer.email") == card.Email
                && export.Text("gift_cards.0.id") == card.Id
                && export.At("messages")?.AsArray().Count > 0,
            "one document has what every service keeps of her: name, card and mails",
            export
        );

        var reason = new JsonObject { ["reason"] = "a payment is disputed" };
        await shop.AskAsync($"{path}/legal_hold", reason);
        var refused = await shop.AskAsync($"{path}/erase", []);
        narrator.Check(refused.Code == "customer_on_hold", "while a legal hold stands she is not forgotten", refused);
        await shop.AskAsync($"{path}/legal_hold/lift", new JsonObject { ["reason"] = "settled" });

        var erased = await shop.AskAsync($"{path}/erase", []);
        Narrator.Show($"POST {path}/erase", erased, "customer_id", "erased_at");
        narrator.Check(erased.Status == 200, "lifted: she is erased, her key is destroyed", erased);
        var gone = await shop.ReadAsync(path);
        narrator.Check(gone.Status == 404, "nobody can read her name or address any more", gone);
        await narrator.EventuallyAsync(
            () => shop.CardAsync(card.Id),
            answer => answer.Status == 200 && answer.At("customer_id") is null,
            "her card is nobody's, and good: whoever has its code has its value",
            Soon,
            cancel
        );
        await story.ProveAsync();
    }
}
