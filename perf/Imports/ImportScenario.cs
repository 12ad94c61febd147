using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Imports;

/// <summary>
/// How fast cards that were sold elsewhere come in: a file in parts, its check and its commit, each timed, and how much
/// more memory giftcard has meanwhile. Every row must be a card and the merchant must owe what the file says.
/// </summary>
internal static class ImportScenario
{
    private const int DefaultRows = 50_000;
    private const int RowsOfPart = 10_000;
    private const int MaxRows = 1_000_000;
    private const int Balance = 2500;
    private const int Uploads = 2;
    private const double WantedPerSecond = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var rows = (int)Math.Clamp(options.History > 0 ? options.History : DefaultRows, RowsOfPart, MaxRows);
        var result = new BenchResult.Builder("import");
        using var merchant = await BenchMerchant.OnboardAsync(cancel);
        var program = new JsonObject { ["name"] = "Bench", ["currency"] = "EUR" };
        var programId = (string)(await merchant.Api.MustPostAsync("/v1/programs", program, cancel))["id"]!;
        await ImportAsync(merchant, programId, RowsOfPart, cancel);

        var costs = ProcessCosts.Start();
        var run = await ImportAsync(merchant, programId, rows, cancel);
        var spent = costs.Per(rows).ToArray();
        var copied = await CopyAsync(rows, cancel);
        result.Figure("rows", rows);
        result.Figure("upload_rows_per_second", rows / run.Upload.TotalSeconds);
        result.Figure("check_rows_per_second", rows / run.Check.TotalSeconds);
        result.Figure("commit_rows_per_second", rows / run.Commit.TotalSeconds);
        result.Figure("rows_per_second", rows / run.All.TotalSeconds);
        result.Figure("giftcard_megabytes_before", run.MegabytesBefore);
        result.Figure("giftcard_megabytes_most", run.MegabytesMost);
        foreach (var (process, milliseconds) in spent)
        {
            result.Figure($"cpu_us_{process}", milliseconds * 1000);
        }

        result.Ratio("rows_to_copied", rows / run.All.TotalSeconds, rows / copied.TotalSeconds);
        result.Require(run.Imported == rows);
        result.Note("yardstick", "COPY of as many rows of code and balance into an empty table with a key");
        result.Note("wanted", string.Create(CultureInfo.InvariantCulture, $"{WantedPerSecond:0} rows a second"));
        result.Note("conditions", "--history ROWS says how many; up to a million");
        return result.Build();
    }

    private static async Task<Run> ImportAsync(
        BenchMerchant merchant,
        string program,
        int rows,
        CancellationToken cancel
    )
    {
        var (before, clock) = (Megabytes(), Stopwatch.StartNew());
        var import = (string)
            (
                await merchant.Api.MustPostAsync(
                    "/v1/gift_cards/import",
                    new JsonObject { ["program_id"] = program, ["amounts"] = "minor_units" },
                    cancel
                )
            )["id"]!;
        await Parallel.ForAsync(
            0,
            (rows + RowsOfPart - 1) / RowsOfPart,
            new ParallelOptions { MaxDegreeOfParallelism = Uploads, CancellationToken = cancel },
            async (part, token) =>
                await merchant.Api.MustPostAsync(
                    $"/v1/gift_cards/import/{import}/parts/{part + 1}",
                    Part(Math.Min(RowsOfPart, rows - (part * RowsOfPart))),
                    "text/csv",
                    token
                )
        );
        var uploaded = clock.Elapsed;
        var most = Megabytes();
        await merchant.Api.MustPostAsync($"/v1/gift_cards/import/{import}/check", [], cancel);
        most = Math.Max(most, (await WaitAsync(merchant, import, "checked", cancel)).Megabytes);
        var isChecked = clock.Elapsed;
        await merchant.Api.MustPostAsync($"/v1/gift_cards/import/{import}/commit", [], cancel);
        var (job, megabytes) = await WaitAsync(merchant, import, "committed", cancel);
        return new Run(
            uploaded,
            isChecked - uploaded,
            clock.Elapsed - isChecked,
            before,
            Math.Max(most, megabytes),
            (int)job["done"]!
        );
    }

    /// <summary>Codes that nobody has.</summary>
    private static string Part(int rows)
    {
        var text = new StringBuilder("code,balance\n");
        for (var i = 0; i < rows; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Guid.NewGuid():N},{Balance}\n");
        }

        return text.ToString();
    }

    private static async Task<(JsonNode Job, double Megabytes)> WaitAsync(
        BenchMerchant merchant,
        string import,
        string step,
        CancellationToken cancel
    )
    {
        var (clock, most) = (Stopwatch.StartNew(), 0.0);
        while (clock.Elapsed < Patience)
        {
            var job = await merchant.Api.MustGetAsync($"/v1/jobs/{import}", cancel);
            most = Math.Max(most, Megabytes());
            if ((string)job["step"]! == step)
            {
                return (job, most);
            }

            await Task.Delay(Poll, cancel);
        }

        throw new BenchException($"the import was not {step} within {Patience.TotalMinutes:0} min");
    }

    /// <summary>What giftcard has of the machine's memory.</summary>
    private static double Megabytes()
    {
        var pid = Api.Setting("LP_PROCESSES")
            .Split(',')
            .Select(pair => pair.Split('='))
            .Single(pair => pair[0] == "giftcard")[1];
        using var process = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture));
        return process.WorkingSet64 / 1048576.0;
    }

    private static async Task<TimeSpan> CopyAsync(int rows, CancellationToken cancel)
    {
        var script = new StringBuilder(
            "DROP TABLE IF EXISTS bench_rows;\n"
                + "CREATE TABLE bench_rows (code text PRIMARY KEY, balance bigint NOT NULL);\n"
                + "COPY bench_rows FROM stdin (FORMAT csv);\n"
        );
        for (var i = 0; i < rows; i++)
        {
            script.Append(CultureInfo.InvariantCulture, $"{Guid.NewGuid():N},{Balance}\n");
        }

        script.Append("\\.\nDROP TABLE bench_rows;\n");
        var clock = Stopwatch.StartNew();
        await Psql.RunAsync("giftcard", script.ToString(), cancel);
        return clock.Elapsed;
    }

    private sealed record Run(
        TimeSpan Upload,
        TimeSpan Check,
        TimeSpan Commit,
        double MegabytesBefore,
        double MegabytesMost,
        int Imported
    )
    {
        public TimeSpan All => Upload + Check + Commit;
    }
}
