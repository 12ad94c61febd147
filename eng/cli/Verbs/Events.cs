using System.CommandLine;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>What happened to a merchant's objects, and sending it to webhook endpoints once more.</summary>
internal static class Events
{
    private const int DefaultLimit = 20;

    private static readonly Option<string> Type = Verbs.Text("--type", "only these, e.g. gift_card.*", "TYPE");
    private static readonly Option<string> Object = Verbs.Text("--object", "only what happened to this one", "ID");
    private static readonly Option<int?> Limit = Verbs.Number("-n", $"so many, {DefaultLimit} when nothing is said");
    private static readonly Option<bool> Json = Verbs.Flag("--json", "each event whole, one a line");
    private static readonly Option<string> Endpoint = Verbs.Text(
        "--endpoint",
        "to this one; to every enabled one when nothing is said",
        "ID"
    );

    private static readonly Argument<string> Event = new("event") { Description = "its id, evt_…" };

    public static readonly Verb Verb = Verbs.Group(
        "events",
        "what happened to a merchant's objects: list it, send it again",
        Verbs.Define(
            "list",
            "newest first",
            ListAsync,
            Type,
            Object,
            Limit,
            Json,
            MerchantCaller.Key,
            MerchantCaller.Gateway
        ),
        Verbs.Define(
            "resend",
            "one event to webhook endpoints again",
            ResendAsync,
            Event,
            Endpoint,
            MerchantCaller.Key,
            MerchantCaller.Gateway
        )
    );

    private static async Task<int> ListAsync(Invocation call)
    {
        var (_, words, cancel) = call;
        using var merchant = MerchantCaller.Of(call);
        var query = $"limit={words.GetValue(Limit) ?? DefaultLimit}";
        query += words.GetValue(Type) is { } type ? $"&type={Uri.EscapeDataString(type)}" : "";
        query += words.GetValue(Object) is { } id ? $"&object={Uri.EscapeDataString(id)}" : "";
        var page = await merchant.MustGetAsync($"/v1/events?{query}", cancel);
        var events = page.At("data")!.AsArray();
        if (words.GetValue(Json))
        {
            foreach (var told in events)
            {
                Terminal.Say(told!.ToJsonString());
            }
        }
        else
        {
            string[] columns = ["time", "id", "type", "subject", "sequence"];
            Terminal.Table([columns, .. events.Select(told => columns.Select(name => $"{told![name]}").ToArray())]);
        }

        return ExitCodes.Ok;
    }

    private static async Task<int> ResendAsync(Invocation call)
    {
        var (_, words, cancel) = call;
        using var merchant = MerchantCaller.Of(call);
        var id = words.GetValue(Event)!;
        string[] endpoints = words.GetValue(Endpoint) is { } named ? [named] : await EnabledAsync(merchant, cancel);
        if (endpoints.Length == 0)
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                "there is no enabled webhook endpoint",
                "POST /v1/webhook_endpoints, services/notification/notification.http"
            );
        }

        foreach (var endpoint in endpoints)
        {
            var path = $"/v1/webhook_endpoints/{endpoint}/deliveries/{id}/redeliver";
            await merchant.MustPostAsync(path, new JsonObject(), cancel);
            Terminal.Good($"{id} goes to {endpoint}");
        }

        return ExitCodes.Ok;
    }

    private static async Task<string[]> EnabledAsync(MerchantCaller merchant, CancellationToken cancel) =>
        [
            .. (await merchant.MustGetAsync("/v1/webhook_endpoints?limit=50", cancel))
                .At("data")!
                .AsArray()
                .Where(endpoint => (string?)endpoint!["status"] == "enabled")
                .Select(endpoint => (string)endpoint!["id"]!),
        ];
}
