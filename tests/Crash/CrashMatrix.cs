using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// The crash matrix: at each instant of each step of a redemption each victim is killed once, on a stack of its own,
/// and the redemption has to end right within 30 s of health. A run over all cells writes docs/crash-matrix.md.
/// </summary>
internal static class CrashMatrix
{
    public const string Grid = "docs/crash-matrix.md";

    private static readonly TimeSpan MailLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <param name="limit">Longer than this no cell may take.</param>
    /// <param name="withOutages">Also the few outages that last.</param>
    public static async Task<Score> RunAsync(
        Checkout checkout,
        string? daprd,
        IReadOnlyList<Cell> cells,
        TimeSpan limit,
        bool withOutages,
        CancellationToken cancel
    )
    {
        await using var stack = await CrashStack.StartAsync(checkout, daprd, cancel);
        using var till = await Till.OpenAsync(stack, "Crash matrix", [], cancel);
        var runner = new CellRunner(stack, till);
        var results = new List<CellResult>();
        foreach (var cell in cells)
        {
            var result = await runner.RunAsync(cell, cancel);
            if (result.Passed && result.OnQuickMachine > limit)
            {
                // A machine that was busy is quicker the next time; a lease, a poll or a back-off takes as long again.
                var again = await runner.RunAsync(cell, cancel);
                result = again.OnQuickMachine > limit ? again.After(result, limit) : again;
            }

            results.Add(result);
            var line = $"crash {cell, -28} {Terminal.Seconds(result.Recovered), 6}   {results.Count} of {cells.Count}";
            if (result.Passed)
            {
                Terminal.Good(line);
            }
            else
            {
                Terminal.Bad($"{line}\n    {string.Join("\n    ", result.Faults)}");
            }
        }

        var outages = withOutages ? await new Outages(stack, till, cancel).RunAsync() : [];
        var books = await BooksAsync(stack, cancel);
        if (cells.Count == Cell.All.Count)
        {
            await File.WriteAllTextAsync(
                Path.Combine(checkout.Root, Grid),
                Table(results, outages, books, limit),
                cancel
            );
        }

        List<Failure> failures =
        [
            .. results
                .Where(r => !r.Passed)
                .Select(r => Failed($"{r.Cell}", r.Faults, $"./localplus test crash --cell {r.Cell}")),
            .. outages.Where(o => o.Faults.Count > 0).Select(o => Failed(o.Name, o.Faults, "./localplus test crash")),
            .. books.Select(wrong => Failed("the books afterwards", [wrong], "./localplus test crash")),
        ];
        return new Score(
            results.Count(r => r.Passed) + outages.Count(o => o.Faults.Count == 0),
            failures.Count,
            failures
        );
    }

    private static Failure Failed(string name, IReadOnlyList<string> faults, string next) =>
        new(CrashRuns.Matrix, name, string.Join('\n', faults), next);

    /// <summary>
    /// After all the killing: the books prove themselves and no event was given up. Patient: kills without a pause
    /// outlast the retries of a delivery, and such an event waits in dead_letters for an operator.
    /// </summary>
    internal static async Task<IReadOnlyList<string>> BooksAsync(
        CrashStack stack,
        CancellationToken cancel,
        bool patient = false
    )
    {
        var clock = Stopwatch.StartNew();
        while (await MailsAsync("pending") != "0" && clock.Elapsed < MailLimit)
        {
            await Task.Delay(Poll, cancel);
        }

        using var desk = new Rest(
            stack.Ports.GatewayUrl,
            Operators.Mint(stack.Checkout, "operator", "crash"),
            TimeSpan.FromSeconds(10)
        );
        var proof = await desk.GetAsync("/ops/v1/ledger/proof", cancel);
        var wrong = new List<string>();
        if (proof.Text("balanced") != "true")
        {
            wrong.Add($"the books do not balance: {proof.Body?.ToJsonString()}");
        }

        if (await MailsAsync("pending', 'dead") is not "0" and var unsent)
        {
            wrong.Add($"{unsent} mails were not sent");
        }

        foreach (var app in patient ? [] : Checkout.Apps)
        {
            if (await stack.SqlAsync(app, "SELECT count(*) FROM dead_letters", cancel) is not "0" and var dead)
            {
                wrong.Add($"{app} has {dead} dead letters");
            }
        }

        return wrong;

        Task<string> MailsAsync(string states) =>
            stack.SqlAsync("notification", $"SELECT count(*) FROM notifications WHERE state IN ('{states}')", cancel);
    }

    private static string Table(
        List<CellResult> results,
        IReadOnlyList<OutageResult> outages,
        IReadOnlyList<string> books,
        TimeSpan limit
    )
    {
        var text = new StringBuilder();
        text.AppendLine("# Crash matrix");
        text.AppendLine();
        text.AppendLine(Introduction(limit));
        text.AppendLine();
        var passed = results.Count(r => r.Passed);
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{passed} of {results.Count} cells hold; the slowest took {results.Max(r => r.Recovered).TotalSeconds:0.0} s."
        );
        text.AppendLine(
            books.Count == 0
                ? "After all of them the books balance and no event was given up."
                : string.Join("; ", books)
        );
        text.AppendLine();
        text.AppendLine($"| Step | Instant | {string.Join(" | ", Cell.Victims)} |");
        text.AppendLine($"|---|---|{string.Concat(Cell.Victims.Select(_ => "--:|"))}");
        foreach (var row in results.GroupBy(r => (r.Cell.Step, r.Cell.Instant)))
        {
            var name =
                row.Key.Instant == Cell.Instants[0]
                    ? $"{row.Key.Step.Number} {row.Key.Step.Name}: {row.Key.Step.What}"
                    : "";
            var cells = row.Select(r =>
                r.Passed ? r.Recovered.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) : "FAILED"
            );
            text.AppendLine($"| {name} | {row.Key.Instant} | {string.Join(" | ", cells)} |");
        }

        text.AppendLine();
        text.AppendLine(
            "Instants: *before* the call; *committed*: its effect is durable and whoever asked does not know; *answered*: whoever asked has"
        );
        text.AppendLine(
            "the answer and has done nothing with it. One cell again: `./localplus test crash --cell hold/committed/service`."
        );
        text.AppendLine();
        text.AppendLine("## Outages that last");
        text.AppendLine();
        text.AppendLine(
            "A till is served meanwhile, immediate and in two phases; runs, events and mails follow when the part is back."
        );
        text.AppendLine();
        text.AppendLine("| Outage | What | Seconds until all is made good |");
        text.AppendLine("|---|---|--:|");
        foreach (var outage in outages)
        {
            var took =
                outage.Faults.Count == 0
                    ? outage.Took.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)
                    : "FAILED";
            text.AppendLine($"| {outage.Name} | {outage.What} | {took} |");
        }

        return text.ToString();
    }

    private static string Introduction(TimeSpan limit) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            Written by `./localplus test crash`. A cell kills its victim with SIGKILL at one instant of one step of
            a redemption, or of what follows it, on the stack of `./localplus up`; the number is seconds from the
            kill until everything holds again, at most {limit.TotalSeconds:0} (of a start of processes 5 s count at
            most: more is the machine's); where it took longer the cell ran twice. What has to hold: one end state;
            one hold and one capture or one release in the ledger; the same answer for the same Idempotency-Key; one
            effect of each event in each consumer; a timeline and an engine's history without a gap; the operator's
            view and the card agree with the ledger; a mail or a webhook that comes twice has the same id; a batch
            has its cards, each once. Victims: the service that has come to the instant, the sidecars of all
            services, both at once, PostgreSQL (services, ledger and workflow engine), Valkey (broker and cache).
            """
        );
}
