using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>A member pays with points and a card in one, is refunded, and asks why the points moved.</summary>
internal sealed class Payment(Shop shop, Narrator narrator)
{
    private const long Points = 40;
    private const long Card = 1000;

    public async Task TellAsync(string member)
    {
        Narrator.Chapter("She pays with points and a card");
        var before = await AvailableAsync(member);
        var program = await shop.CreateProgramAsync("Corner Shop present");
        var card = await shop.SellAsync(program.Text("id")!, Card, "grace@example.com");
        narrator.Check(card.Status == 201, "she was given a card with 10.00 EUR", card);

        var asked = Asked(member, card.Text("code")!);
        var quote = await shop.AskAsync("/v1/redemptions/quote", asked);
        Narrator.Show("POST /v1/redemptions/quote 10.40 EUR", quote, "would_be", "approved", "sources");
        narrator.Check(
            quote.Text("would_be") == "approved" && quote.Number("sources.0.points") == Points,
            "40 points and the card would pay 10.40 EUR",
            quote
        );
        var paid = await shop.AskAsync("/v1/redemptions", asked.DeepClone().AsObject());
        Narrator.Show("POST /v1/redemptions 10.40 EUR", paid, "id", "state", "captured", "sources");
        narrator.Check(
            paid.Text("state") == "completed" && paid.Number("captured.amount") == Points + Card,
            "and do, in one act of the ledger",
            paid
        );
        var after = await AvailableAsync(member);
        narrator.Check(after == before - Points, $"{after} of her {before} points are left");

        var id = paid.Text("id")!;
        var refund = await shop.AskAsync($"/v1/redemptions/{id}/refunds", new JsonObject());
        Narrator.Show($"POST /v1/redemptions/{id}/refunds", refund, "state", "amount", "sources");
        narrator.Check(
            refund.Status == 201,
            "all of it is refunded: to the card, and to the lots of her points",
            refund
        );
        narrator.Check(await AvailableAsync(member) == before, "she has her points again");

        var history = await shop.ReadAsync($"/v1/members/{member}/history");
        narrator.Check(
            history.Text("data.0.kind") == "refund"
                && history.Text("data.0.redemption_id") == id
                && history.Text("data.2.kind") == "hold",
            "the history says why they moved: held, spent and given back, with the redemption",
            history
        );
    }

    private async Task<long?> AvailableAsync(string member) =>
        (await shop.ReadAsync($"/v1/members/{member}/balance")).Number("available");

    private static JsonObject Asked(string member, string code) =>
        new()
        {
            ["mode"] = "immediate",
            ["amount"] = new JsonObject { ["amount"] = Points + Card, ["currency"] = "EUR" },
            ["sources"] = new JsonArray(
                new JsonObject { ["member_id"] = member, ["max_points"] = Points },
                new JsonObject { ["gift_card"] = new JsonObject { ["code"] = code } }
            ),
        };
}
