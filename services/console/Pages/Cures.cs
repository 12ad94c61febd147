using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;

namespace LocalPlus.Console.Pages;

/// <summary>
/// What ends a trouble, in a sentence or two: by what is away, or by whose turn it is. The error says the cause; this
/// says the cure, and what is safe meanwhile.
/// </summary>
internal static class Cures
{
    private static readonly string[] OverInTheEngine = ["unknown", "completed", "failed", "terminated", "canceled"];

    /// <summary>Of a run; null: nothing is wrong with it.</summary>
    public static string? Of(RunDetail detail, Words words)
    {
        var run = detail.Run;
        if (run.RunState is "started" or "waiting" && OverInTheEngine.Contains(detail.Engine.Status))
        {
            return words[
                "The workflow engine has lost this run or ended it. No money is concerned: reconcile starts it again."
            ];
        }

        return run.Health switch
        {
            "suspended" => words["Resume it when what it was suspended for is over."],
            "waiting" when run.RedemptionState is "held" => Say(
                words["The till confirms or cancels; if it never does, the hold ends then and the card has its money."],
                words["Confirm if the customer has left with the goods, cancel if not."]
            ),
            "retrying" or "parked" when Ledger(run.LastError) => Say(
                words["The ledger, or the way to it, is away."],
                words["Nothing is lost or done twice: the step is tried again under its own key, with growing pauses."],
                words["./localplus status says what is down; when it is back, retry."]
            ),
            "retrying" or "parked" when run.Step is "start" => Say(
                words["The workflow engine does not take the run."],
                words["The money is decided without it and tills are served; the run starts when the engine is back."],
                words["./localplus status says what is down."]
            ),
            "retrying" or "parked" => words[
                "Mend what the error names; the step is tried again by itself, and at once with retry."
            ],
            "stuck" => words["Reconcile it: the redemption and its money decide, the run is started again."],
            "ok" when run.RedemptionState is "expired" => Say(
                words["The hold ended before the till confirmed, and the money is the card's again."],
                words["The till begins a new redemption."]
            ),
            _ => null,
        };
    }

    /// <summary>Of what needs attention: a message, a merchant's endpoint, a step of any kind.</summary>
    public static string Of(AttentionItem item, Words words) =>
        (item.Kind, item.Error) switch
        {
            ("notifications", "smtp_unavailable") => Say(
                words["The mail server is away or refuses mail: look at it. Each mail is tried again by itself."],
                words["One that was given up is sent again with ./localplus notifications resend ID."]
            ),
            ("notifications", "sms_unavailable") => Say(
                words["The provider of text messages is away. Each is tried again by itself."],
                words["One that was given up is sent again with ./localplus notifications resend ID."]
            ),
            ("notifications", "contact_unavailable") => Say(
                words["The service that knows the address does not answer: ./localplus status says which."],
                words["It is tried again by itself."]
            ),
            ("notifications", _) => words[
                "Mend what the error names, then send it again with ./localplus notifications resend ID."
            ],
            ("webhook_endpoints", "gone" or "failing") => Say(
                words["The merchant's endpoint was disabled, and its merchant has a mail about it."],
                words["Mended, the merchant enables it under Webhooks and has what it missed sent again."]
            ),
            ("webhook_endpoints", _) => Say(
                words["The merchant's endpoint does not take events, and nothing else is concerned."],
                words["It is tried again for three days; the merchant mends it, and sends at once under Webhooks."]
            ),
            _ when Ledger(item.Error) => Say(
                words["The ledger, or the way to it, is away."],
                words["Nothing is lost or done twice; it goes on by itself when the ledger is back."]
            ),
            _ => words["Mend what the error names; it is tried again by itself at the time that is named."],
        };

    /// <summary>Of where the books differ.</summary>
    public static string Of(Finding finding, Words words) =>
        finding.Kind switch
        {
            "overdue_hold" => Say(
                words["A hold ran out and was not given back: the ledger's sweeper stands."],
                words["./localplus logs ledger says why; it goes on by itself."]
            ),
            "not_in_log" => Say(
                words["A transaction is not in the signed log yet: the sequencer stands."],
                words["./localplus logs ledger says why; it goes on by itself."]
            ),
            _ => Say(
                words["Somebody or something wrote past the ledger. Find out who wrote there, and keep a backup."],
                words["./localplus ledger verify says which rows; what was written by hand is taken back by hand."],
                words["Acknowledge it when it is understood: what still differs comes back."]
            ),
        };

    private static string Say(params string[] sentences) => string.Join(' ', sentences);

    private static bool Ledger(string? error) => error?.StartsWith("The ledger", StringComparison.Ordinal) is true;
}
