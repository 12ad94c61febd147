using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Client.Verbs;

/// <summary>One event to webhook endpoints once more: to one, or to every one that is enabled.</summary>
internal static class EventResend
{
    private const int MaxEndpoints = 50;

    private static readonly Argument<string> Event = new("event") { Description = "its id, evt_…" };
    private static readonly Option<string> Endpoint = Common.Text(
        "--endpoint",
        "to this one; to every enabled one when nothing is said",
        "ID"
    );

    private static readonly ApiVerb Redeliver = ApiTable.Verbs.Single(v =>
        v is { Noun: "webhooks", Name: "redeliver" }
    );

    public static Command Command()
    {
        var command = new Command("resend", "one event to webhook endpoints again").With([
            Event,
            Endpoint,
            .. Common.Caller,
        ]);
        command.SetAction(RunAsync);
        return new Command("events").With(command);
    }

    private static async Task<int> RunAsync(ParseResult words, CancellationToken cancel)
    {
        using var session = Session.Open(words);
        var id = words.GetRequiredValue(Event);
        string[] endpoints = words.GetValue(Endpoint) is { } named ? [named] : await EnabledAsync(session, cancel);
        if (endpoints.Length == 0)
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                "there is no enabled webhook endpoint",
                $"{Shell.Self} webhooks create --url URL"
            );
        }

        foreach (var endpoint in endpoints)
        {
            var path = Redeliver
                .Path.Replace("{id}", Uri.EscapeDataString(endpoint), StringComparison.Ordinal)
                .Replace("{event_id}", Uri.EscapeDataString(id), StringComparison.Ordinal);
            var request = new ApiRequest(HttpMethod.Post, path)
            {
                Body = new JsonObject(),
                IdempotencyKey = Guid.NewGuid().ToString(),
            };
            await session.MustAsync(request, Redeliver, cancel);
            Terminal.Good($"{id} goes to {endpoint}");
        }

        return ExitCodes.Ok;
    }

    private static async Task<string[]> EnabledAsync(Session session, CancellationToken cancel)
    {
        var list = new ApiRequest(HttpMethod.Get, $"/v1/webhook_endpoints?limit={MaxEndpoints}");
        var answer = await session.MustAsync(list, Redeliver, cancel);
        return
        [
            .. (answer.Body?["data"] as JsonArray ?? [])
                .Where(endpoint => (string?)endpoint!["status"] == "enabled")
                .Select(endpoint => (string)endpoint!["id"]!),
        ];
    }
}
