using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// A merchant with a programme and a till of its own: each call is one call of the REST API, repeated until answered.
/// </summary>
internal sealed class Till(Rest rest, string merchant, string program) : IDisposable
{
    public const long CardValue = 1000;

    /// <summary>Longer than any test: holds that run out have a test of their own.</summary>
    private const int DefaultHold = 3600;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public string Merchant => merchant;

    public string Program => program;

    /// <summary>A merchant with a programme that is good at its own shop and at those of others.</summary>
    public static async Task<Till> OpenAsync(
        CrashStack stack,
        string name,
        IReadOnlyList<string> alsoGoodAt,
        CancellationToken cancel
    )
    {
        var shop = await Developer.OnboardAsync(stack.Checkout, stack.Ports, name, "shop@example.com", cancel);
        var rest = new Rest(stack.Ports.GatewayUrl, shop.ApiKey, Patience);
        var terms = new JsonObject
        {
            ["name"] = name,
            ["currency"] = "EUR",
            ["accepted_at"] = new JsonArray([.. alsoGoodAt.Select(m => new JsonObject { ["merchant_id"] = m })]),
        };
        var program = await rest.PostAsync("/v1/programs", terms, NewKey(), cancel);
        return new Till(rest, shop.MerchantId, program.Text("id") ?? throw Refused("a programme", program));
    }

    /// <summary>Agrees to take the cards of another's programme, for nothing.</summary>
    public Task AcceptAsync(string issued, CancellationToken cancel) =>
        rest.PostAsync(
            $"/v1/acceptances/{issued}/accept",
            new JsonObject { ["commission_basis_points"] = 0 },
            NewKey(),
            cancel
        );

    public static string NewKey() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public async Task<SoldCard> SellAsync(CancellationToken cancel)
    {
        var email = $"{NewKey()[..8]}@example.com";
        var sold = await rest.PostAsync(
            "/v1/gift_cards",
            new JsonObject
            {
                ["program_id"] = program,
                ["amount"] = Euro(CardValue),
                ["recipient"] = new JsonObject { ["email"] = email, ["name"] = "Ada" },
            },
            NewKey(),
            cancel
        );
        return sold.Status == 201
            ? new SoldCard(sold.Text("id")!, sold.Text("code")!, email)
            : throw Refused("a card", sold);
    }

    public Task<RestAnswer> RedeemAsync(
        SoldCard card,
        string mode,
        long amount,
        string reference,
        string key,
        CancellationToken cancel,
        int? holdSeconds = null
    ) =>
        rest.PostAsync(
            "/v1/redemptions",
            new JsonObject
            {
                ["reference"] = reference,
                ["mode"] = mode,
                ["amount"] = Euro(amount),
                ["hold_ttl_seconds"] = holdSeconds ?? (mode == "two_phase" ? DefaultHold : null),
                ["sources"] = new JsonArray(new JsonObject { ["gift_card"] = new JsonObject { ["code"] = card.Code } }),
            },
            key,
            cancel
        );

    /// <summary>Orders cards that a task makes.</summary>
    public Task<RestAnswer> OrderAsync(int cards, string reference, string key, CancellationToken cancel) =>
        rest.PostAsync(
            "/v1/gift_cards/bulk",
            new JsonObject
            {
                ["program_id"] = program,
                ["quantity"] = cards,
                ["reference"] = reference,
            },
            key,
            cancel
        );

    /// <summary>Has payments told to an endpoint, and what it has to trust.</summary>
    public async Task TellAsync(Receiver receiver, CancellationToken cancel)
    {
        var endpoint = await rest.PostAsync(
            "/v1/webhook_endpoints",
            new JsonObject { ["url"] = receiver.Url, ["event_types"] = new JsonArray("redemption.completed") },
            NewKey(),
            cancel
        );
        receiver.Trust(endpoint.Text("secret") ?? throw Refused("an endpoint", endpoint));
    }

    public Task<RestAnswer> ConfirmAsync(string redemption, string key, CancellationToken cancel) =>
        rest.PostAsync($"/v1/redemptions/{redemption}/confirm", null, key, cancel);

    public Task<RestAnswer> ConfirmAsync(string redemption, long amount, string key, CancellationToken cancel) =>
        rest.PostAsync(
            $"/v1/redemptions/{redemption}/confirm",
            new JsonObject { ["amount"] = Euro(amount) },
            key,
            cancel
        );

    public Task<RestAnswer> CancelAsync(string redemption, string key, CancellationToken cancel) =>
        rest.PostAsync($"/v1/redemptions/{redemption}/cancel", null, key, cancel);

    public Task<RestAnswer> RefundAsync(string redemption, long amount, string key, CancellationToken cancel) =>
        rest.PostAsync(
            $"/v1/redemptions/{redemption}/refunds",
            new JsonObject { ["amount"] = Euro(amount) },
            key,
            cancel
        );

    public Task<RestAnswer> CardAsync(SoldCard card, CancellationToken cancel) =>
        rest.GetAsync($"/v1/gift_cards/{card.Id}", cancel);

    public Task<RestAnswer> RedemptionAsync(string redemption, CancellationToken cancel) =>
        rest.GetAsync($"/v1/redemptions/{redemption}", cancel);

    public void Dispose() => rest.Dispose();

    private static CliFailure Refused(string what, RestAnswer answer) =>
        new(
            ExitCodes.Failed,
            $"{what} was refused: {answer.Status} {answer.Body?.ToJsonString()}",
            "./localplus logs giftcard"
        );

    private static JsonObject Euro(long amount) => new() { ["amount"] = amount, ["currency"] = "EUR" };
}
