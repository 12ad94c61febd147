namespace LocalPlus.Client.Catalog;

using static Lines;

/// <summary>What operators do, at /ops/v1 with a person's sign-in. A new verb is a line here.</summary>
internal static class OperatorVerbs
{
    private const string RunRow =
        "redemption_id health redemption_state step attempts approved:money merchant_id due_at last_error updated_at";

    private const string RunFilters = "health state run_state step merchant_id older_than_seconds error";

    private const string Everywhere = "ledger wallet merchant giftcard notification analytics console";

    private static readonly ApiVerb[] Runs =
    [
        Pages("runs", "list", "/ops/v1/runs", "viewer", "redemptions and how their runs are") with
        {
            Filters = RunFilters,
            Columns = RunRow,
        },
        Rows("runs", "summary", "/ops/v1/runs/summary", "viewer", "how many are well, wait, retry, are stuck") with
        {
            Columns = "health count requested:money oldest_at",
        },
        Show("runs", "show", "/ops/v1/runs/{id}", "viewer", "steps, timeline, who did what, the ledger's side"),
        Show("runs", "export", "/ops/v1/runs/{id}/export", "viewer", "the run with its history, to replay elsewhere"),
        Decide("runs", "retry", "/ops/v1/runs/{id}/retry", "operator", "try the step that waits at once"),
        Decide(
            "runs",
            "reconcile",
            "/ops/v1/runs/{id}/reconcile",
            "operator",
            "bring a run and its redemption together"
        ),
        Decide("runs", "confirm", "/ops/v1/runs/{id}/confirm", "operator", "confirm what is held, or a part") with
        {
            Body = "reason! amount:number",
        },
        Decide("runs", "cancel", "/ops/v1/runs/{id}/cancel", "operator", "give back what is held"),
        Decide("runs", "extend", "/ops/v1/runs/{id}/extend", "operator", "hold for longer") with
        {
            Body = "reason! seconds!:number",
        },
        Decide("runs", "suspend", "/ops/v1/runs/{id}/suspend", "operator", "stand still until resumed"),
        Decide("runs", "resume", "/ops/v1/runs/{id}/resume", "operator", "go on after a suspend"),
        Danger("runs", "skip", "/ops/v1/runs/{id}/skip", "admin", "take a step for done") with
        {
            Body = "reason! step!",
        },
        Danger("runs", "release", "/ops/v1/runs/{id}/release", "admin", "give back a hold that nothing settles"),
        Danger(
            "runs",
            "terminate",
            "/ops/v1/runs/{id}/terminate",
            "admin",
            "end the run; the sweeper settles its hold"
        ),
        Decide("runs", "reconcile-all", "/ops/v1/runs/reconcile", "operator", "look at every run that is late"),
    ];

    private static readonly ApiVerb[] Bulks =
    [
        Post(
            "runs",
            "bulk preview",
            "/ops/v1/runs/bulks",
            "operator",
            "choose runs for a verb, and do nothing yet"
        ) with
        {
            Filters = RunFilters,
            Body = "verb!",
            IsKeyed = true,
        },
        Start("retry", "operator"),
        Start("reconcile", "operator"),
        Start("suspend", "operator"),
        Start("resume", "operator"),
        Start("release", "admin"),
        Start("terminate", "admin"),
        Pages("runs", "bulk list", "/ops/v1/runs/bulks", "viewer", "what was done to many at once") with
        {
            Columns = "id verb state runs done refused failed filter started_by created_at finished_at",
        },
        Show("runs", "bulk show", "/ops/v1/runs/bulks/{id}", "viewer", "one of them: sums, samples, refusals foreseen"),
        Pages("runs", "bulk items", "/ops/v1/runs/bulks/{id}/items", "viewer", "what became of each run") with
        {
            Filters = "state",
            Columns = "position redemption_id state code foreseen amount:money attempts settled_at",
        },
        Decide("runs", "bulk pause", "/ops/v1/runs/bulks/{id}/pause", "operator", "begin no further run for now"),
        Decide("runs", "bulk continue", "/ops/v1/runs/bulks/{id}/continue", "operator", "go on after a pause"),
        Decide("runs", "bulk cancel", "/ops/v1/runs/bulks/{id}/cancel", "operator", "begin no further run"),
    ];

    /// <summary>Does what was previewed; the verb is said once more, and the number of runs.</summary>
    private static ApiVerb Start(string verb, string role) =>
        Post("runs", $"bulk {verb}", $"/ops/v1/runs/bulks/{{id}}/start/{verb}", role, $"{verb} what was previewed") with
        {
            Body = "reason! count!:number",
            IsKeyed = true,
            IsDangerous = role == "admin",
        };

    /// <summary>Puts parked letters aside for good; how many is typed once more, as a dry run says it.</summary>
    private static ApiVerb Aside(string verb, string summary) =>
        Danger("dlq", $"{verb}-all", $"/ops/v1/{{service}}/dead_letters/{verb}", "operator", summary) with
        {
            Services = Everywhere,
            Body = "reason! topic! error count:number",
            DryRunField = "dry_run",
        };

    private static readonly ApiVerb[] Merchants =
    [
        Pages("merchants", "list", "/ops/v1/merchants", "viewer", "all merchants") with
        {
            Filters = "status mode country name",
            Columns = "id name status mode country currency created_at status_reason",
        },
        Show("merchants", "show", "/ops/v1/merchants/{id}", "viewer", "one merchant"),
        Pages("merchants", "versions", "/ops/v1/merchants/{id}/versions", "viewer", "every change of a merchant") with
        {
            Columns = "version action actor.id reason created_at",
        },
        Post("merchants", "create", "/v1/merchants", "admin", "a new merchant, with its first API key") with
        {
            Body = "name! country! currency! contact_email! locale mode status bookkeeping:flag",
            IsKeyed = true,
        },
        Decide("merchants", "approve", "/ops/v1/merchants/{id}/approve", "operator", "after a review: it may sell") with
        {
            IsKeyed = true,
        },
        Decide(
            "merchants",
            "decline",
            "/ops/v1/merchants/{id}/decline",
            "operator",
            "after a review: a draft again"
        ) with
        {
            IsKeyed = true,
        },
        Danger("merchants", "suspend", "/ops/v1/merchants/{id}/suspend", "operator", "no till may sell or redeem") with
        {
            IsKeyed = true,
        },
        Decide("merchants", "resume", "/ops/v1/merchants/{id}/resume", "operator", "after a suspend") with
        {
            IsKeyed = true,
        },
        Danger("merchants", "close", "/ops/v1/merchants/{id}/close", "admin", "for good") with
        {
            IsKeyed = true,
        },
        Danger("merchants", "add-member", "/ops/v1/merchants/{id}/team_members", "admin", "its first owner") with
        {
            Body = "name! role! subject!",
            IsKeyed = true,
        },
    ];

    private static readonly ApiVerb[] Queues =
    [
        Pages("dlq", "list", "/ops/v1/{service}/dead_letters", "viewer", "events that were refused for good") with
        {
            Services = Everywhere,
            Filters = "state topic error",
            Columns = "id topic state refusals received_at reason event_id",
        },
        Show("dlq", "show", "/ops/v1/{service}/dead_letters/{id}", "operator", "one of them, with what it says") with
        {
            Services = Everywhere,
        },
        Decide("dlq", "replay", "/ops/v1/{service}/dead_letters/{id}/replay", "operator", "hand one in again") with
        {
            Services = Everywhere,
        },
        Decide("dlq", "replay-all", "/ops/v1/{service}/dead_letters/replay", "operator", "all of a topic again") with
        {
            Services = Everywhere,
            Body = "reason! topic! error",
            DryRunField = "dry_run",
        },
        Danger("dlq", "discard", "/ops/v1/{service}/dead_letters/{id}/discard", "operator", "never take it") with
        {
            Services = Everywhere,
        },
        Aside("discard", "all of a topic: what they would have done is not wanted"),
        Aside("archive", "all of a topic: it was done otherwise"),
        Show("outbox", "list", "/ops/v1/{service}/events", "viewer", "events that wait to be sent, dead letters") with
        {
            Services = Everywhere,
            Columns = "outbox_waiting outbox_oldest_at outbox_error outbox_failing_since dead_letters",
        },
        Rows("queues", "summary", "/ops/v1/giftcard/tasks/queues", "viewer", "what waits, runs and was given up") with
        {
            Columns = "queue due oldest_at running resting dead",
        },
        Pages("queues", "list", "/ops/v1/giftcard/tasks", "viewer", "batches, imports and bulks at work") with
        {
            Filters = "queue state",
            Columns = "task_id queue kind state done total attempts due_at merchant_id last_error",
        },
        Post("queues", "cancel", "/ops/v1/giftcard/tasks/{id}/cancel", "operator", "no more of a task"),
        Pages("jobs", "list", "/ops/v1/{service}/jobs", "viewer", "runs of the scheduled jobs") with
        {
            Services = "analytics giftcard ledger notification wallet",
            Filters = "name outcome",
            Columns = "id name outcome started_at ended_at seconds error",
        },
        Rows("attention", "list", "/ops/v1/{service}/attention", "viewer", "what people have to look at") with
        {
            Services = "giftcard wallet notification",
            Columns = "kind id movement_id merchant_id attempts error next_try_at created_at",
        },
        Post("notifications", "resend", "/ops/v1/notification/{id}/resend", "operator", "a message once more") with
        {
            Body = "reason!",
            IsKeyed = true,
        },
    ];

    private static readonly ApiVerb[] Books =
    [
        Show("ledger", "proof", "/ops/v1/ledger/proof", "viewer", "whether the books add up") with
        {
            Filters = "merchant_id",
        },
        Rows("findings", "list", "/ops/v1/ledger/findings", "viewer", "where books and services differ") with
        {
            Filters = "open before",
            Columns = "finding_id kind subject expected actual first_seen_at last_seen_at acknowledged_by",
        },
        Decide(
            "findings",
            "acknowledge",
            "/ops/v1/ledger/findings/{id}/acknowledge",
            "operator",
            "it is understood"
        ) with
        {
            IsKeyed = true,
        },
        Pages("audit", "list", "/ops/v1/audit", "viewer", "who did what, and why") with
        {
            Filters = "merchant_id action target actor from until",
            Columns = "occurred_at action target actor role reason service request_id",
        },
        Show("audit", "verify", "/ops/v1/audit/verify", "viewer", "whether the chain of hashes holds") with
        {
            Filters = "merchant_id size hash",
        },
        Rows("flags", "list", "/ops/v1/flags", "viewer", "switches, what they are and since when") with
        {
            Columns = "name kind value default source since meaning",
        },
    ];

    public static IEnumerable<ApiVerb> All => [.. Runs, .. Bulks, .. Merchants, .. Queues, .. Books];
}
