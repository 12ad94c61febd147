using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// Where a drill takes place: a running stack with a till, an operator, an administrator and the console's pages. What
/// the drill breaks it notes here with what mends it, so that a drill which fails leaves the stack as it was.
/// </summary>
internal sealed class FaultScene : IAsyncDisposable
{
    /// <summary>How long anything that follows by itself may take.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    /// <summary>How long a stack may take to be well again.</summary>
    public static readonly TimeSpan HealthyAgain = TimeSpan.FromSeconds(90);

    private const int StatementLimitSeconds = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private readonly Stack<(string What, Func<Task> MendAsync)> _mends = [];
    private readonly Checkout _checkout;
    private readonly StackState _state;
    private ConsolePages? _pages;

    private FaultScene(Checkout checkout, StackState state, Developer merchant, CancellationToken cancel)
    {
        (_checkout, _state, Merchant, Cancel) = (checkout, state, merchant, cancel);
        Till = new Rest(Ports.GatewayUrl, merchant.ApiKey, Patience);
        Hasty = new Rest(Ports.GatewayUrl, merchant.ApiKey, TimeSpan.Zero);
        Operator = new Rest(Ports.GatewayUrl, Operators.Mint(checkout, "operator", "drill"), Patience);
        Admin = new Rest(Ports.GatewayUrl, Operators.Mint(checkout, "admin", "drill"), Patience);
    }

    public CancellationToken Cancel { get; }

    public Checkout Checkout => _checkout;

    public Ports Ports => _state.Ports;

    public Developer Merchant { get; }

    public Narrator Narrator { get; private init; } = new();

    /// <summary>A till that asks again until it is answered.</summary>
    public Rest Till { get; }

    /// <summary>A till that asks once and shows what it is answered.</summary>
    public Rest Hasty { get; }

    public Rest Operator { get; }

    public Rest Admin { get; }

    public static async Task<FaultScene> OpenAsync(Checkout checkout, CancellationToken cancel)
    {
        var state = StackState.RunningOrFail(checkout);
        return new(checkout, state, await Developer.EnsureAsync(checkout, state.Ports, cancel), cancel);
    }

    /// <summary>The same place with another merchant's till.</summary>
    public FaultScene For(Developer merchant) => new(_checkout, _state, merchant, Cancel) { Narrator = Narrator };

    /// <summary>Mends what is still broken.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_mends.Count > 0)
            {
                await MendAsync();
            }
        }
        finally
        {
            _pages?.Dispose();
            Till.Dispose();
            Hasty.Dispose();
            Operator.Dispose();
            Admin.Dispose();
        }
    }

    /// <summary>Breaks something and keeps how it is mended.</summary>
    /// <param name="mends">Null: it mends itself.</param>
    public async Task BreakAsync(string what, Func<Task> breaks, Func<Task>? mends = null)
    {
        Narrator.Tell($"broken: {what}");
        if (mends is not null)
        {
            _mends.Push((what, mends));
        }

        await breaks();
    }

    /// <summary>Mends all that was broken, the last first. Each is tried, whatever becomes of the others.</summary>
    public async Task MendAsync()
    {
        var failures = new List<Exception>();
        while (_mends.TryPop(out var mend))
        {
            try
            {
                await mend.MendAsync();
                Narrator.Tell($"mended: {mend.What}");
            }
            catch (Exception failure)
            {
                failures.Add(failure);
            }
        }

        if (failures.Count > 0)
        {
            throw new AggregateException("not all that was broken could be mended", failures);
        }
    }

    /// <summary>Stops processes in their tracks: they are there and say nothing.</summary>
    public Task FreezeAsync(string name) =>
        BreakAsync(
            $"{name} is frozen",
            () => SignalAsync(name, process => process.SignalGroup(ProcessIdentity.SigStop)),
            () => SignalAsync(name, process => process.SignalGroup(ProcessIdentity.SigContinue))
        );

    /// <summary>As kill -9; the supervisor starts it again.</summary>
    public Task KillAsync(string name) => SignalAsync(name, process => process.Signal(ProcessIdentity.SigKill));

    private Task SignalAsync(string name, Action<ProcessIdentity> signal)
    {
        var processes = StackState.RunningOrFail(_checkout).Named(name);
        if (processes.Count == 0)
        {
            throw new CliFailure(
                ExitCodes.Unavailable,
                $"{name} is not supervised here: `dapr run` has it",
                "./localplus up, then the drill again"
            );
        }

        foreach (var process in processes)
        {
            signal(process.Identity);
        }

        return Task.CompletedTask;
    }

    /// <summary>A statement as the database's owner, as somebody does who should not; its rows, divided by |.</summary>
    public async Task<string> SqlAsync(string database, string sql)
    {
        // Who changes a table waits for its lock no longer than that: the services go first.
        var patient = string.Create(
            CultureInfo.InvariantCulture,
            $"SET lock_timeout = '{StatementLimitSeconds}s';\n{sql}"
        );
        // What is broken is mended also when nobody waits for the drill any more; psql has a limit of its own.
        var postgres = new Postgres(_checkout, Ports, new Secrets(_checkout));
        var answer = await postgres.QueryAsync(database, patient, CancellationToken.None);
        return answer.ExitCode == 0
            ? answer.Output.Trim()
            : throw new CliFailure(ExitCodes.Failed, $"{database}: {answer.Tail(3)}", "./localplus psql");
    }

    /// <summary>Waits until all is well.</summary>
    public async Task HealthyAsync(string what)
    {
        var clock = Stopwatch.StartNew();
        var stack = new LocalStack(_checkout, Ports, _state.Options);
        IReadOnlyDictionary<string, string> troubles;
        while ((troubles = await stack.TroublesAsync(Cancel)).Count > 0 && clock.Elapsed < HealthyAgain)
        {
            await Task.Delay(Poll, Cancel);
        }

        var trouble = string.Join("; ", troubles.Select(t => $"{t.Key}: {t.Value}"));
        Narrator.Check(troubles.Count == 0, troubles.Count == 0 ? what : $"{what}: {trouble}");
    }

    /// <summary>Asks again until it holds.</summary>
    public Task<RestAnswer> UntilAsync(
        string what,
        Func<Task<RestAnswer>> ask,
        Func<RestAnswer, bool> holds,
        TimeSpan? limit = null
    ) => Narrator.EventuallyAsync(ask, holds, what, limit ?? Soon, Cancel);

    /// <summary>Waits until a page of the console says all of it, and shows the first of it in its sentence.</summary>
    public async Task ReadsAsync(string path, params string[] words)
    {
        _pages ??= await ConsolePages.SignInAsync(Ports, "ada", Cancel);
        await ReadsAsync(_pages, path, words);
    }

    /// <summary>The same as one of the shop's people.</summary>
    public async Task ShopReadsAsync(string path, params string[] words)
    {
        using var pages = await ConsolePages.SignInAsync(Ports, "olga", Cancel);
        await ReadsAsync(pages, path, words);
    }

    private async Task ReadsAsync(ConsolePages pages, string path, string[] words)
    {
        var clock = Stopwatch.StartNew();
        string text;
        while (!words.All((text = await pages.ReadAsync(path, Cancel)).Contains) && clock.Elapsed < Soon)
        {
            await Task.Delay(Poll, Cancel);
        }

        var missing = words.Where(word => !text.Contains(word, StringComparison.Ordinal)).ToArray();
        Narrator.Check(
            missing.Length == 0,
            missing.Length == 0
                ? $"{path} says: {string.Join(" … ", words)}"
                : $"{path} does not say: {string.Join(" … ", missing)}\n    it says: {text}"
        );
    }

    /// <summary>A verb of ours, as an operator types it; what it prints.</summary>
    public async Task<string> VerbAsync(params string[] words)
    {
        Narrator.Tell($"$ ./localplus {Typed(words)}");
        var ended = await EndAsync(words);
        var isDone = ended.ExitCode == ExitCodes.Ok;
        Narrator.Check(isDone, isDone ? "done" : $"it ended with {ended.ExitCode}: {ended.Tail(4)}");
        return ended.Output;
    }

    private Task<CommandResult> EndAsync(string[] words) =>
        new Command(Tools.Dotnet, [_checkout.Assembly("LocalPlus.Cli", "Debug"), .. words])
        {
            WorkingDirectory = _checkout.Root,
            Environment = { ["LP_STATE_DIR"] = _checkout.State, ["LP_ROOT"] = _checkout.Root },
            Limit = Soon,
        }.RunAsync(Cancel);

    /// <summary>As it is typed into a shell.</summary>
    private static string Typed(string[] words) =>
        string.Join(' ', words.Select(word => word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word));

    /// <summary>A verb on the API in an operator's name, with a reason.</summary>
    public Task<string> OperateAsync(string role, string reason, params string[] words) =>
        VerbAsync([.. words, "--role", role, "--reason", reason]);

    /// <summary>Waits until what a verb prints says it; the verb's own end does not matter.</summary>
    public async Task PrintsAsync(string[] verb, string what, Func<string, bool> says)
    {
        var clock = Stopwatch.StartNew();
        Narrator.Tell($"$ ./localplus {Typed(verb)}");
        CommandResult ended;
        while (!says((ended = await EndAsync(verb)).Output) && clock.Elapsed < Soon)
        {
            await Task.Delay(Poll, Cancel);
        }

        var holds = says(ended.Output);
        Narrator.Check(holds, holds ? $"it says that {what}" : $"it does not say that {what}:\n{ended.Output}");
    }

    public Task<RestAnswer> AskAsync(string path, JsonObject body) => Till.PostAsync(path, body, Shop.NewKey(), Cancel);

    public Task<RestAnswer> ReadAsync(string path) => Till.GetAsync(path, Cancel);

    public Task<RestAnswer> RunAsync(string redemption) => Operator.GetAsync($"/ops/v1/runs/{redemption}", Cancel);

    public static JsonObject Euro(long amount) => new() { ["amount"] = amount, ["currency"] = "EUR" };

    /// <summary>Sells a card of the shop's programme, or of another.</summary>
    public async Task<SoldCard> SellAsync(long cents, string? program = null)
    {
        var email = string.Create(CultureInfo.InvariantCulture, $"drill.{Guid.NewGuid():N}@example.com");
        var terms = Developer.Terms(program ?? Merchant.ProgramId, cents);
        terms["recipient"] = new JsonObject { ["email"] = email, ["name"] = "Ada" };
        var sold = await AskAsync("/v1/gift_cards", terms);
        Narrator.Check(sold.Status == 201, $"a card is sold for {Money(cents)}", sold);
        return new SoldCard(sold.Text("id")!, sold.Text("code")!, email);
    }

    /// <summary>Holds an amount of a card for a till; the redemption's id.</summary>
    public async Task<string> HoldAsync(SoldCard card, long cents, int? seconds = null)
    {
        var held = await AskAsync("/v1/redemptions", Order(card, cents, "two_phase", seconds));
        Narrator.Check(held is { Status: 201 } && held.Text("state") == "held", $"{Money(cents)} are held", held);
        return held.Text("id")!;
    }

    public static JsonObject Order(SoldCard card, long cents, string mode, int? seconds = null)
    {
        var order = new JsonObject
        {
            ["reference"] = $"drill-{Shop.NewKey()[..8]}",
            ["mode"] = mode,
            ["amount"] = Euro(cents),
            ["sources"] = new JsonArray(new JsonObject { ["gift_card"] = new JsonObject { ["code"] = card.Code } }),
        };
        if (seconds is { } ttl)
        {
            order["hold_ttl_seconds"] = ttl;
        }

        return order;
    }

    /// <summary>The till confirms and is answered, however often it has to ask.</summary>
    public async Task ConfirmAsync(string redemption)
    {
        var confirmed = await AskAsync($"/v1/redemptions/{redemption}/confirm", []);
        Narrator.Check(
            confirmed.Status == 200 && confirmed.Text("state") == "completed",
            "the till confirms: completed",
            confirmed
        );
    }

    /// <summary>The end: the run is over, the card was charged once, nothing is held, the books balance.</summary>
    public async Task ChargedOnceAsync(SoldCard card, string redemption, long left)
    {
        await UntilAsync(
            "its run has finished",
            () => RunAsync(redemption),
            run => run.Text("run.run_state") == "finished" && run.Text("run.health") == "ok"
        );
        await UntilAsync(
            $"nothing lost, nothing doubled: {Money(left)} are left on the card and nothing is held",
            () => ReadAsync($"/v1/gift_cards/{card.Id}"),
            answer => answer.Number("balance.amount") == left && answer.Number("held.amount") == 0
        );
        var activities = await ReadAsync($"/v1/gift_cards/{card.Id}/activities");
        Narrator.Check(
            activities.At("data")!.AsArray().Count(a => (string?)a!["redemption_id"] == redemption) == 1,
            "the card's activities name this redemption once",
            activities
        );
        await BalancedAsync();
    }

    /// <summary>The ledger's own proof over all books.</summary>
    public async Task BalancedAsync()
    {
        var proof = await Operator.GetAsync("/ops/v1/ledger/proof", Cancel);
        Narrator.Check(
            proof is { Status: 200 } && proof.Text("balanced") == "true",
            "all entries sum to 0 and every balance is the sum of its entries",
            proof
        );
    }

    /// <summary>Another merchant with a key of its own, whose rules a drill may change.</summary>
    public async Task<(Developer Merchant, long Version)> OnboardAsync(string name)
    {
        var answer = await Admin.PostAsync(
            "/v1/merchants",
            new JsonObject
            {
                ["name"] = name,
                ["country"] = "FR",
                ["currency"] = "EUR",
                ["contact_email"] = "drill@example.com",
            },
            Shop.NewKey(),
            Cancel
        );
        Narrator.Check(answer.Status == 201, $"{name} is onboarded", answer);
        return (new Developer(answer.Text("id")!, answer.Text("api_key.key")!), answer.Number("version") ?? 1);
    }

    public static string Money(long cents) =>
        string.Create(CultureInfo.InvariantCulture, $"{cents / 100}.{cents % 100:00} EUR");
}
