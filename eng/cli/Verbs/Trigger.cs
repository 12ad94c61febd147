using System.CommandLine;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// Makes an event happen, by the calls that it follows: a card is really sold, loaded, redeemed. For test keys.
/// </summary>
internal static class Trigger
{
    private const long Value = 2500;
    private const long Price = 1000;

    private static readonly Dictionary<string, Func<Till, Task>> Events = new(StringComparer.Ordinal)
    {
        ["gift_card.activated"] = till => till.SellAsync(),
        ["gift_card.blocked"] = async till => await till.DoAsync(await till.SellAsync(), "block"),
        ["gift_card.loaded"] = async till =>
            await till.DoAsync(await till.SellAsync(), "load", new JsonObject { ["amount"] = Euro(Price) }),
        ["redemption.completed"] = async till => await till.RedeemAsync(await till.SellAsync()),
        ["redemption.refunded"] = async till => await till.RefundAsync(await till.RedeemAsync(await till.SellAsync())),
        ["webhook_endpoint.test"] = till => till.TestAsync(),
    };

    private static readonly Argument<string> Event = new Argument<string>("event")
    {
        Description = "what is to happen",
    }.AcceptOnlyFromAmong([.. Events.Keys]);

    public static readonly Verb Verb = Verbs.Define(
        "trigger",
        "make an event happen, e.g. redemption.completed",
        RunAsync,
        Event,
        MerchantCaller.Key,
        MerchantCaller.Gateway
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        using var merchant = MerchantCaller.Of(call);
        var name = call.Words.GetValue(Event)!;
        await Events[name](new Till(merchant, call.Cancel));
        Terminal.Good($"{name} has happened");
        Terminal.Say("Next:  ./localplus events list");
        return ExitCodes.Ok;
    }

    private static JsonObject Euro(long cents) => new() { ["amount"] = cents, ["currency"] = "EUR" };

    private sealed record Card(string Id, string Code);

    /// <summary>Calls as a till makes them; each says what it did.</summary>
    private sealed class Till(MerchantCaller merchant, CancellationToken cancel)
    {
        public async Task<Card> SellAsync()
        {
            var program = await PostAsync("/v1/programs", new() { ["name"] = "Trigger", ["currency"] = "EUR" });
            var sold = await PostAsync("/v1/gift_cards", Developer.Terms(program.Text("id"), Value));
            return new Card(sold.Text("id")!, sold.Text("code")!);
        }

        public Task<RestAnswer> DoAsync(Card card, string verb, JsonObject? body = null) =>
            PostAsync($"/v1/gift_cards/{card.Id}/{verb}", body ?? []);

        public async Task<string> RedeemAsync(Card card)
        {
            var source = new JsonObject { ["gift_card"] = new JsonObject { ["code"] = card.Code } };
            var body = new JsonObject
            {
                ["reference"] = $"trigger-{Guid.NewGuid():N}",
                ["mode"] = "immediate",
                ["amount"] = Euro(Price),
                ["sources"] = new JsonArray(source),
            };
            return (await PostAsync("/v1/redemptions", body)).Text("id")!;
        }

        public Task<RestAnswer> RefundAsync(string redemption) =>
            PostAsync($"/v1/redemptions/{redemption}/refunds", new() { ["amount"] = Euro(Price) });

        public async Task TestAsync()
        {
            var endpoints = await merchant.MustGetAsync("/v1/webhook_endpoints?limit=50", cancel);
            foreach (var endpoint in endpoints.At("data")!.AsArray().Where(e => (string?)e!["status"] == "enabled"))
            {
                await PostAsync($"/v1/webhook_endpoints/{endpoint!["id"]}/test", []);
            }
        }

        private async Task<RestAnswer> PostAsync(string path, JsonObject body)
        {
            var answer = await merchant.MustPostAsync(path, body, cancel);
            Terminal.Say($"POST {path}  {answer.Status}  {answer.Text("id")}");
            return answer;
        }
    }
}
