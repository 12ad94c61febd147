using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Catalog;
using LocalPlus.Client.Output;

namespace LocalPlus.Client.Verbs;

/// <summary>
/// A file of cards that were sold elsewhere, from its upload to what a check says of it, and to cards with --commit.
/// The same command with the same key goes on where another broke off.
/// </summary>
internal static class ImportFile
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private static readonly Argument<string> Name = new("file")
    {
        Description = "CSV, or a JSON object a line (.ndjson)",
    };
    private static readonly Option<string> Program = new("--program-id")
    {
        Description = "which programme the cards are of",
        HelpName = "ID",
        Required = true,
    };
    private static readonly Option<string> Amounts = new Option<string>("--amounts")
    {
        Description = "what balances in the file are: minor_units (2500) or major_units (25.00)",
        HelpName = "UNITS",
        Required = true,
    }.AcceptOnlyFromAmong("minor_units", "major_units");
    private static readonly Option<string> Reference = Common.Text("--reference", "yours, known once", "TEXT");
    private static readonly Option<bool> Commit = new("--commit") { Description = "make cards of what is in order" };

    private static readonly ApiVerb Show = ApiTable.Verbs.Single(v => v is { Noun: "jobs", Name: "show" });

    public static Command Command()
    {
        var command = new Command("import", "cards that were sold elsewhere, from a file: upload, check, commit").With([
            Name,
            Program,
            Amounts,
            Reference,
            Commit,
            Common.IdempotencyKey,
            Common.DryRun,
            Common.Output,
            .. Common.Caller,
        ]);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult words, CancellationToken cancel)
    {
        var file = words.GetRequiredValue(Name);
        if (!File.Exists(file))
        {
            throw new CliFailure(ExitCodes.NotFound, $"there is no file {file}", $"{Shell.Self} help import");
        }

        var isCsv = !file.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);
        var parts = ImportParts.Split(await File.ReadAllTextAsync(file, cancel), isCsv);
        var key = words.GetValue(Common.IdempotencyKey) ?? Guid.NewGuid().ToString();
        var create = new ApiRequest(HttpMethod.Post, "/v1/gift_cards/import")
        {
            Body = new JsonObject
            {
                ["program_id"] = words.GetRequiredValue(Program),
                ["amounts"] = words.GetRequiredValue(Amounts),
                ["reference"] = words.GetValue(Reference),
            },
            IdempotencyKey = key,
        };
        using var session = Session.Open(words);
        if (words.GetValue(Common.DryRun))
        {
            ApiWrite.Plan(create, session);
            Terminal.Note($"and {parts.Count} parts of the file, then a check");
            return ExitCodes.Ok;
        }

        var created = await session.MustAsync(create, null, cancel);
        var id = created.Body!["id"]!.ToString();
        Terminal.Note($"{id}; to go on after a break: the same command with --idempotency-key {key}");
        foreach (var (index, part) in parts.Index())
        {
            var upload = new ApiRequest(HttpMethod.Post, $"/v1/gift_cards/import/{id}/parts/{index + 1}")
            {
                Upload = (part, isCsv ? "text/csv" : "application/x-ndjson"),
            };
            await session.MustAsync(upload, null, cancel);
            Terminal.Note($"part {index + 1} of {parts.Count}");
        }

        var job = await StepAsync(session, id, "check", key, cancel);
        if (words.GetValue(Commit))
        {
            job = await StepAsync(session, id, "commit", key, cancel);
        }

        Printer.Show(words.GetValue(Common.Output), job.Text, (JsonObject)job.Body!);
        Terminal.Note(
            words.GetValue(Commit)
                ? $"each row: {Shell.Self} imports report {id}"
                : $"what is left out: {Shell.Self} jobs errors {id}; the rest: {Shell.Self} imports commit {id}"
        );
        return ExitCodes.Ok;
    }

    /// <summary>Asks for a step and waits until it is done.</summary>
    private static async Task<ApiAnswer> StepAsync(
        Session session,
        string id,
        string step,
        string key,
        CancellationToken cancel
    )
    {
        var ask = new ApiRequest(HttpMethod.Post, $"/v1/gift_cards/import/{id}/{step}")
        {
            IdempotencyKey = $"{key}-{step}",
        };
        await session.MustAsync(ask, null, cancel);
        using var ticks = new PeriodicTimer(Look);
        while (true)
        {
            var job = await session.MustAsync(new ApiRequest(HttpMethod.Get, $"/v1/jobs/{id}"), Show, cancel);
            if ((string?)job.Body?["state"] != "running")
            {
                return job;
            }

            await ticks.WaitForNextTickAsync(cancel);
        }
    }
}
