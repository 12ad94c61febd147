using System.Globalization;

namespace LocalPlus.Tests.Crash;

/// <summary>
/// A step of a redemption and where its three instants are. No failpoint: the instant shows from outside.
/// </summary>
/// <param name="Before">Nothing has happened yet.</param>
/// <param name="Committed">The effect is durable, and whoever asked does not know.</param>
/// <param name="Answered">Whoever asked has the answer and has done nothing with it.</param>
internal sealed record CrashStep(
    int Number,
    string Name,
    string What,
    Instant Before,
    Instant Committed,
    Instant? Answered
)
{
    public const string Giftcard = "giftcard";
    public const string Ledger = "ledger";
    public const string Notification = "notification";

    public static readonly IReadOnlyList<CrashStep> All =
    [
        Local(1, "accept", "intent, legs and claim of the key in one transaction", "Accept") with
        {
            Answered = null,
        },
        Local(2, "schedule", "the start of the run is given to the workflow engine", "Schedule"),
        Local(3, "verify", "code and card are read", "Verify"),
        InLedger(4, "hold", "the hold on all sources", "PlaceHoldRequest"),
        InLedger(
            5,
            "rules",
            "another merchant's acceptance and its account in the issuer's books",
            "OpenAccountsRequest"
        ),
        InLedger(6, "capture", "the pivot: a confirm that is committed is carried out", "CaptureHoldRequest"),
        Local(7, "publish", "the outbox goes to the broker", "Publish"),
        Local(8, "complete", "the run's activity finds nothing left and closes it", "AdvanceRedemption") with
        {
            Answered = null,
        },
        InLedger(9, "void", "a cancel that is committed is carried out", "ReleaseHoldRequest"),
        InLedger(10, "refund", "a refund that is committed goes back to its lots", "ReverseTransactionRequest"),
        new(
            11,
            "notify",
            "a consumer takes the event",
            new(Notification, "Deliver.before"),
            new(Notification, "Deliver.committed"),
            null
        ),
        InLedger(12, "spend", "hold and capture of an immediate redemption in one command", "ExecuteBatchRequest"),
        new(
            13,
            "mail",
            "the receipt goes to the mail server",
            new(Notification, "SendMail.before"),
            new(Notification, "SendMail.committed"),
            new(Notification, "SendMail.answered")
        ),
        new(
            14,
            "webhook",
            "the event goes to the merchant's endpoint",
            new(Notification, "SendWebhook.before"),
            new(Notification, "WriteWebhooks.before"),
            new(Notification, "WriteWebhooks.committed")
        ),
        Local(15, "task", "a worker makes a batch of cards", "RunTask"),
    ];

    private static CrashStep Local(int number, string name, string what, string point) =>
        new(
            number,
            name,
            what,
            new(Giftcard, $"{point}.before"),
            new(Giftcard, $"{point}.committed"),
            new(Giftcard, $"{point}.answered")
        );

    private static CrashStep InLedger(int number, string name, string what, string point) =>
        new(
            number,
            name,
            what,
            new(Giftcard, $"{point}.before"),
            new(Ledger, $"{point}.committed"),
            new(Giftcard, $"{point}.answered")
        );
}

/// <summary>One cell of the crash matrix: at this instant of this step this is killed.</summary>
internal sealed record Cell(CrashStep Step, string Instant, string Victim)
{
    public static readonly string[] Instants = ["before", "committed", "answered"];
    public static readonly string[] Victims = ["service", "sidecar", "both", "postgres", "valkey"];

    public static readonly IReadOnlyList<Cell> All =
    [
        .. from step in CrashStep.All
        from instant in Instants
        from victim in Victims
        select new Cell(step, instant, victim),
    ];

    /// <summary>The cells of a short run: every step but one, every instant, every victim.</summary>
    public static readonly IReadOnlyList<Cell> Short =
    [
        .. new[]
        {
            "accept/committed/service",
            "schedule/committed/sidecar",
            "verify/answered/postgres",
            "hold/committed/service",
            "rules/answered/both",
            "capture/committed/postgres",
            "capture/answered/service",
            "publish/committed/valkey",
            "void/before/sidecar",
            "refund/committed/both",
        }.SelectMany(Matching),
    ];

    public Instant? Failpoint =>
        Instant switch
        {
            "before" => Step.Before,
            "committed" => Step.Committed,
            _ => Step.Answered,
        };

    /// <summary>The process that "service" means: the one that has just come to the instant.</summary>
    public string Service => Failpoint?.App ?? Step.Before.App;

    /// <summary>The processes to kill.</summary>
    public string[] Killed =>
        Victim switch
        {
            "service" => [Service],
            "both" => [Service, "sidecar"],
            _ => [Victim],
        };

    public override string ToString() => $"{Step.Name}/{Instant}/{Victim}";

    /// <summary>The cells that a pattern like "4/committed/sidecar", "hold" or "*/before/postgres" means.</summary>
    public static IReadOnlyList<Cell> Matching(string pattern)
    {
        var parts = pattern.Split('/');
        var cells = All.Where(c =>
                (Any(parts, 0, c.Step.Name) || Any(parts, 0, c.Step.Number.ToString(CultureInfo.InvariantCulture)))
                && Any(parts, 1, c.Instant)
                && Any(parts, 2, c.Victim)
            )
            .ToList();
        return parts.Length <= 3 && cells.Count > 0
            ? cells
            : throw CliFailure.Usage(
                $"no cell is '{pattern}'; a cell is STEP/INSTANT/VICTIM of {string.Join(", ", CrashStep.All.Select(s => s.Name))}; "
                    + $"{string.Join(", ", Instants)}; {string.Join(", ", Victims)}",
                "test"
            );
    }

    private static bool Any(string[] parts, int i, string name) =>
        parts.Length <= i || parts[i] == "*" || parts[i] == name;
}
