using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>A member joins, earns by two rules, is refunded in part, and asks why the points moved.</summary>
internal sealed class Membership(Shop shop, Narrator narrator)
{
    private const string Rules = "/v1/earning_rules";

    public async Task TellAsync()
    {
        Narrator.Chapter("A member earns points");
        var program = (await MakeAsync("/v1/loyalty_programs", Terms(), "a point for each euro, good for a year")).Text(
            "id"
        )!;
        var began = DateTimeOffset.UtcNow;
        await MakeAsync(Rules, Rule(program, "Coffee", Doubled()), "coffee counts twice");
        await MakeAsync(Rules, Rule(program, "Welcome", Welcome()), "and the first purchase 50 points");
        var joined = new JsonObject { ["program_id"] = program, ["phone"] = "+33 1 23 45 67 89" };
        var member = (await MakeAsync("/v1/members", joined, "Ada joins at the till, by telephone")).Text("id")!;

        var quote = await shop.AskAsync("/v1/earnings/quote", Basket(member));
        Narrator.Show("POST /v1/earnings/quote coffee 14.00 EUR, a bun 6.00 EUR", quote, "points", "awards");
        narrator.Check(quote.Number("points") == 20 + 14 + 50, "her basket would earn 84 points", quote);
        var basket = Basket(member);
        basket["reference"] = "tck-1";
        var earning = await MakeAsync("/v1/earnings", basket, "and does");
        var again = await shop.AskAsync("/v1/earnings", basket.DeepClone().AsObject());
        narrator.Check(again.Code == "reference_reused", "a till that tells it twice is told so", again);

        var back = new JsonObject
        {
            ["reference"] = "ret-1",
            ["lines"] = new JsonArray(new JsonObject { ["line"] = 1, ["amount"] = Euro(600) }),
        };
        var refund = await shop.AskAsync($"/v1/earnings/{earning.Text("id")}/refund", back);
        narrator.Check(refund.Status == 201 && refund.Number("points") > 0, "the bun's points go back with it", refund);

        var balance = await shop.ReadAsync($"/v1/members/{member}/balance");
        Narrator.Show("GET /v1/members/{id}/balance", balance, "available", "pending", "value", "expiring");
        narrator.Check(
            balance.Number("available") == 84 - refund.Number("points"),
            "the balance says what is left, what it is worth and what ends soon",
            balance
        );
        var history = await shop.ReadAsync($"/v1/members/{member}/history");
        narrator.Check(
            history.Text("data.0.kind") == "take_back" && history.Text("data.1.awards.2.name") == "Welcome",
            "the history names the purchase, the rules and the lots",
            history
        );
        await SimulateAsync(program, began);
        await new Payment(shop, narrator).TellAsync(member);
    }

    private async Task SimulateAsync(string program, DateTimeOffset began)
    {
        var body = Rule(program, "", Doubled());
        body.Remove("name");
        body["from"] = began.ToString("O");
        body["to"] = DateTimeOffset.UtcNow.AddMinutes(1).ToString("O");
        body["definition"]!["percent"] = 300;
        var lines = await shop.AskAsync($"{Rules}/simulate", body);
        narrator.Check(
            lines.Text("detail")?.Contains("\"object\":\"simulation\"", StringComparison.Ordinal) is true,
            "a rule is simulated over the past before it is switched on",
            lines
        );
    }

    private async Task<RestAnswer> MakeAsync(string path, JsonObject body, string what)
    {
        var made = await shop.AskAsync(path, body);
        narrator.Check(made.Status == 201, what, made);
        return made;
    }

    private static JsonObject Terms() =>
        new()
        {
            ["name"] = "Corner points",
            ["currency"] = "EUR",
            ["earn"] = new JsonObject { ["points"] = 1, ["per"] = Euro(100) },
            ["point_value"] = new JsonObject { ["points"] = 1, ["value"] = Euro(1) },
            ["time_zone"] = "Europe/Paris",
            ["expiry"] = new JsonObject { ["kind"] = "after_earning", ["days"] = 365 },
        };

    private static JsonObject Rule(string program, string name, JsonObject definition) =>
        new()
        {
            ["program_id"] = program,
            ["name"] = name,
            ["definition"] = definition,
        };

    private static JsonObject Doubled() =>
        new()
        {
            ["effect"] = "multiplier",
            ["percent"] = 200,
            ["categories"] = new JsonArray("coffee"),
            ["order"] = 1,
        };

    private static JsonObject Welcome() =>
        new()
        {
            ["effect"] = "bonus",
            ["points"] = 50,
            ["first_purchase"] = true,
            ["order"] = 2,
        };

    private static JsonObject Basket(string member) =>
        new()
        {
            ["member_id"] = member,
            ["amount"] = Euro(2000),
            ["lines"] = new JsonArray(
                new JsonObject { ["amount"] = Euro(1400), ["category"] = "coffee" },
                new JsonObject { ["amount"] = Euro(600), ["product"] = "bun" }
            ),
        };

    private static JsonObject Euro(long amount) => new() { ["amount"] = amount, ["currency"] = "EUR" };
}
