using System.Net;
using LocalPlus.Perf.GiftCards;

namespace LocalPlus.Perf.Operators;

/// <summary>
/// How long operators wait for a list of runs by what they may filter by, and for the console's pages, with many runs
/// behind them; the same questions before those runs are there stand beside.
/// </summary>
internal static class ConsoleScenario
{
    private const long DefaultRuns = 100_000;
    private const int Clients = 2;
    private const int Redemptions = 500;
    private const int MaxPageBytes = 100_000;
    private static readonly TimeSpan Each = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WantedOfList = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan WantedOfPage = TimeSpan.FromSeconds(1);

    private sealed record Question(string Name, string Path, bool IsPage = false);

    public static async Task<BenchResult> RunAsync(BenchOptions options, CancellationToken cancel)
    {
        var result = new BenchResult.Builder("console");
        using var cards = await BenchCards.SellSpreadAsync(cancel);
        await RedeemAsync(options, cards, cancel);
        var questions = await QuestionsAsync(cards.Merchants[0].Id, cancel);
        var before = await AskAsync(questions, cancel);
        try
        {
            var runs = await RunHistory.WriteAsync(options.History > 0 ? options.History : DefaultRuns, cancel);
            var after = await AskAsync([.. questions, await DeepAsync(cancel)], cancel);
            result.Figure("runs", runs);
            foreach (var (name, (load, bytes)) in after)
            {
                result.Load(name, load);
                result.Figure($"{name}_p95_ms", load.Latency.Percentile(0.95).TotalMilliseconds);
                result.Figure($"{name}_kb", bytes / 1000.0);
                result.Require(load.Errors.Count == 0);
            }

            double P95(Dictionary<string, (Load Load, long Bytes)> of, bool isPage) =>
                questions
                    .Where(q => q.IsPage == isPage)
                    .Max(q => of[q.Name].Load.Latency.Percentile(0.95).TotalMilliseconds);
            result.Figure("lists_worst_p95_ms", P95(after, isPage: false));
            result.Figure("pages_worst_p95_ms", P95(after, isPage: true));
            result.Ratio("lists_p95_full_to_empty", P95(after, isPage: false), P95(before, isPage: false));
            result.Ratio("pages_p95_full_to_empty", P95(after, isPage: true), P95(before, isPage: true));
            result.Require(P95(after, isPage: false) < WantedOfList.TotalMilliseconds);
            result.Require(P95(after, isPage: true) < WantedOfPage.TotalMilliseconds);
            result.Require(questions.Where(q => q.IsPage).All(q => after[q.Name].Bytes < MaxPageBytes));
        }
        finally
        {
            await RunHistory.ForgetAsync();
        }

        result.Note("yardstick", $"the same questions with the {Redemptions} runs of the bench alone");
        result.Note(
            "wanted",
            $"lists p95 under {WantedOfList.TotalMilliseconds:0} ms, pages under {WantedOfPage.TotalSeconds:0} s and "
                + $"{MaxPageBytes / 1000} kB; --history RUNS says how many"
        );
        result.Note(
            "conditions",
            $"{Clients} operators, {Each.TotalSeconds:0} s a question; {RunHistory.Parked} runs are parked"
        );
        return result.Build();
    }

    private static async Task RedeemAsync(BenchOptions options, BenchCards cards, CancellationToken cancel)
    {
        var load = new RedeemLoad();
        while (load.Accepted < Redemptions)
        {
            await load.SendAsync(options.Closed() with { Clients = Clients, For = Each }, cards, cancel);
        }

        await new RedemptionRuns(cards.Merchants).DrainAsync(cancel);
    }

    private static async Task<Question[]> QuestionsAsync(MerchantId merchant, CancellationToken cancel)
    {
        using var operators = new Api(Api.Setting("LP_GATEWAY"), Api.Setting("LP_OPERATOR_TOKEN"), 1);
        var newest = await operators.MustGetAsync("/ops/v1/runs?limit=1", cancel);
        var id = (string)newest["data"]![0]!["redemption_id"]!;
        return
        [
            new("list", "/ops/v1/runs"),
            new("list_ok", "/ops/v1/runs?health=ok"),
            new("list_parked", "/ops/v1/runs?health=parked"),
            new("list_stuck", "/ops/v1/runs?health=stuck"),
            new("list_refunded", "/ops/v1/runs?state=refunded"),
            new("list_waiting", "/ops/v1/runs?run_state=waiting"),
            new("list_step", "/ops/v1/runs?step=capture"),
            new("list_merchant", $"/ops/v1/runs?merchant_id={merchant}"),
            new("list_old", "/ops/v1/runs?older_than_seconds=2000000"),
            new("list_error", $"/ops/v1/runs?error={Uri.EscapeDataString(RunHistory.Trouble)}"),
            new("list_no_error", "/ops/v1/runs?error=nobody-wrote-this"),
            new("summary", "/ops/v1/runs/summary"),
            new("page_overview", "/console", IsPage: true),
            new("page_runs", "/console/runs", IsPage: true),
            new("page_parked", "/console/runs?health=parked", IsPage: true),
            new("page_run", $"/console/runs/{id}", IsPage: true),
        ];
    }

    /// <summary>A page far down the list.</summary>
    private static async Task<Question> DeepAsync(CancellationToken cancel)
    {
        const int Pages = 20;
        const string List = "/ops/v1/runs?limit=100";
        using var operators = new Api(Api.Setting("LP_GATEWAY"), Api.Setting("LP_OPERATOR_TOKEN"), 1);
        var path = List;
        for (var page = 1; page < Pages; page++)
        {
            var cursor = (string)(await operators.MustGetAsync(path, cancel))["next_cursor"]!;
            path = $"{List}&cursor={Uri.EscapeDataString(cursor)}";
        }

        return new("list_deep", path);
    }

    private static async Task<Dictionary<string, (Load Load, long Bytes)>> AskAsync(
        IReadOnlyList<Question> questions,
        CancellationToken cancel
    )
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(Api.Setting("LP_GATEWAY")),
        };
        var answers = new Dictionary<string, (Load, long)>(StringComparer.Ordinal);
        foreach (var question in questions)
        {
            var bytes = 0L;
            var options = new BenchOptions(Clients, Each, null, false);
            await AskAsync(http, question, cancel);
            var load = await LoadRunner.SendAsync(
                options,
                async (_, _, end) =>
                {
                    var (status, length) = await AskAsync(http, question, end);
                    Interlocked.Exchange(ref bytes, length);
                    return status == HttpStatusCode.OK ? null : $"{(int)status}";
                },
                cancel
            );
            answers[question.Name] = (load, bytes);
        }

        return answers;
    }

    private static async Task<(HttpStatusCode Status, long Bytes)> AskAsync(
        HttpClient http,
        Question question,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, question.Path);
        if (question.IsPage)
        {
            request.Headers.Add("Cookie", Api.Setting("LP_CONSOLE_COOKIES"));
        }
        else
        {
            request.Headers.Authorization = new("Bearer", Api.Setting("LP_OPERATOR_TOKEN"));
        }

        using var answer = await http.SendAsync(request, cancel);
        return (answer.StatusCode, (await answer.Content.ReadAsByteArrayAsync(cancel)).LongLength);
    }
}
