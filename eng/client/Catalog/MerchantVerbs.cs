namespace LocalPlus.Client.Catalog;

using static Lines;

/// <summary>What merchants do with gift cards, at /v1 with an API key or as one of the team.</summary>
internal static class MerchantVerbs
{
    private const string CardRow =
        "id status last4 balance:money held:money expires_at program_id reference created_at";

    private static readonly ApiVerb[] Cards =
    [
        Pages("programs", "list", "/v1/programs", "programs:read", "all programmes") with
        {
            Columns = "id name status currency validity_days reloadable reference created_at",
        },
        Show("programs", "show", "/v1/programs/{id}", "programs:read", "one programme"),
        Keyed("programs", "create", "/v1/programs", "programs:write", "a new programme") with
        {
            Body = "name! currency! validity_days:number reference",
        },
        Pages("cards", "list", "/v1/gift_cards", "gift_cards:read", "all cards") with
        {
            Filters = "program_id status customer_id batch_id last4 reference",
            Columns = CardRow,
        },
        Show("cards", "show", "/v1/gift_cards/{id}", "gift_cards:read", "one card"),
        Post("cards", "lookup", "/v1/gift_cards/lookup", "gift_cards:read", "one card by its code") with
        {
            Body = "code!:secret pin:secret",
        },
        Pages("cards", "activities", "/v1/gift_cards/{id}/activities", "gift_cards:read", "what happened to it") with
        {
            Columns = "occurred_at type amount:money balance_after:money redemption_id reference reason",
        },
        Rows(
            "cards",
            "lots",
            "/v1/gift_cards/{id}/lots",
            "gift_cards:read",
            "which money is on it, and until when"
        ) with
        {
            Columns = "id kind balance:money held:money spendable expires_at created_at",
        },
        Keyed("cards", "sell", "/v1/gift_cards", "gift_cards:write", "a new card; its code is shown once") with
        {
            Body = "program_id! amount:money customer_id reference",
        },
        Keyed("cards", "load", "/v1/gift_cards/{id}/load", "gift_cards:write", "more money on a card") with
        {
            Body = "amount!:money kind expires_at:time reference reason",
        },
        Keyed("cards", "extend", "/v1/gift_cards/{id}/extend", "gift_cards:write", "a later end") with
        {
            Body = "expires_at!:time reason",
        },
        Keyed("cards", "block", "/v1/gift_cards/{id}/block", "gift_cards:write", "nothing can be paid with it") with
        {
            Body = "reason",
        },
        Keyed("cards", "unblock", "/v1/gift_cards/{id}/unblock", "gift_cards:write", "after a block"),
        Pages("batches", "list", "/v1/gift_cards/bulk", "gift_cards:read", "all batches") with
        {
            Columns = "id program_id state quantity made reference created_at finished_at last_error",
        },
        Show("batches", "show", "/v1/gift_cards/bulk/{id}", "gift_cards:read", "one batch"),
        Keyed("batches", "create", "/v1/gift_cards/bulk", "gift_cards:write", "many cards at a time") with
        {
            Body = "program_id! quantity!:number reference",
        },
        Pages("rewards", "list", "/v1/rewards", "programs:read", "all rewards") with
        {
            Filters = "status",
            Columns = "id name status amount:money quantity granted reference created_at",
        },
        Show("rewards", "show", "/v1/rewards/{id}", "programs:read", "one reward"),
    ];

    private static readonly ApiVerb[] Redemptions =
    [
        Pages("redemptions", "list", "/v1/redemptions", "redemptions:read", "all redemptions") with
        {
            Filters = "state reference location_id gift_card_id",
            Columns = "id state mode requested:money approved:money captured:money refunded:money reference created_at",
        },
        Show("redemptions", "show", "/v1/redemptions/{id}", "redemptions:read", "one redemption"),
        Rows("redemptions", "timeline", "/v1/redemptions/{id}/timeline", "redemptions:read", "what happened to it") with
        {
            Columns = "occurred_at kind actor",
        },
        Rows("redemptions", "refunds", "/v1/redemptions/{id}/refunds", "redemptions:read", "what was given back") with
        {
            Columns = "id state amount:money reference reason created_at finished_at",
        },
        Keyed("redemptions", "cancel", "/v1/redemptions/{id}/cancel", "redemptions:write", "give back what is held"),
        Show("reports", "liability", "/v1/reports/liability", "reports:read", "what holders have") with
        {
            Filters = "as_of",
        },
        Show("reports", "breakage", "/v1/reports/breakage", "reports:read", "what will not be spent") with
        {
            Filters = "as_of",
        },
        Show("reports", "settlement", "/v1/reports/settlement", "reports:read", "who owes whom in a coalition") with
        {
            Filters = "from as_of",
        },
        Show("reports", "daily", "/v1/reports/daily", "reports:read", "figures by day") with
        {
            Filters = "from! to!",
        },
        File("reports", "value", "/v1/reports/value/csv", "reports:read", "value by day, as CSV") with
        {
            Filters = "from! to! zone",
        },
        File("reports", "activity", "/v1/reports/activity/csv", "reports:read", "what was done by day, as CSV") with
        {
            Filters = "from! to! zone by program_id location_id terminal_id",
        },
        File("reports", "cohorts", "/v1/reports/cohorts/csv", "reports:read", "cards by month of sale, as CSV") with
        {
            Filters = "from! to! zone",
        },
        File("reports", "loyalty", "/v1/reports/loyalty/csv", "reports:read", "points by day, as CSV") with
        {
            Filters = "from! to! zone program_id",
        },
        Show("reports", "funnel", "/v1/reports/funnel", "reports:read", "what became of redemptions") with
        {
            Filters = "from! to! zone by program_id location_id",
        },
        Show(
            "reports",
            "recognition",
            "/v1/reports/breakage/recognition",
            "reports:read",
            "breakage by IFRS 15, by month"
        ) with
        {
            Filters = "from! to! remote_after_months",
        },
        Rows(
            "reports",
            "statements",
            "/v1/reports/settlement/statements",
            "reports:read",
            "closed months of a coalition"
        ) with
        {
            Filters = "month!",
            Columns =
                "id month direction issuer_id merchant_id opening:money captured:money refunded:money "
                + "commission:money closing:money closed_at",
        },
    ];

    private static readonly ApiVerb[] Imports =
    [
        Keyed("imports", "create", "/v1/gift_cards/import", "gift_cards:write", "begin one") with
        {
            Body = "program_id! amounts! reference",
        },
        Keyed("imports", "check", "/v1/gift_cards/import/{id}/check", "gift_cards:write", "what a commit would do"),
        Keyed("imports", "commit", "/v1/gift_cards/import/{id}/commit", "gift_cards:write", "the rows become cards"),
        Keyed("imports", "revert", "/v1/gift_cards/import/{id}/revert", "gift_cards:write", "close the unused cards"),
        File("imports", "report", "/v1/gift_cards/import/{id}/report", "gift_cards:read", "each row's outcome, as CSV"),
        Show("jobs", "show", "/v1/jobs/{id}", "gift_cards:read", "how far an import or a batch is"),
        Keyed("jobs", "cancel", "/v1/jobs/{id}/cancel", "gift_cards:write", "no more of an import or a batch"),
        File("jobs", "errors", "/v1/jobs/{id}/errors", "gift_cards:read", "rows that are left out, as CSV"),
    ];

    private static readonly ApiVerb[] Account =
    [
        Show("merchants", "me", "/v1/merchants/me", "merchants:read", "your own"),
        Rows("merchants", "limits", "/v1/merchants/me/limits", "merchants:read", "how often you may ask") with
        {
            Columns = "name per quota window_seconds",
        },
        Pages("keys", "list", "/v1/api_keys", "api_keys:read", "all keys, without their secrets") with
        {
            Columns = "id name status created_at expires_at last_used_on last_used_from scopes",
        },
        Keyed("keys", "create", "/v1/api_keys", "api_keys:write", "a new key, shown once") with
        {
            Body = "name! scopes!:list expires_at:time allowed_networks:list",
        },
        Keyed(
            "keys",
            "rotate",
            "/v1/api_keys/{id}/rotate",
            "api_keys:write",
            "a successor, while the old one works"
        ) with
        {
            Body = "{} overlap_seconds:number",
        },
        Delete("keys", "revoke", "/v1/api_keys/{id}", "api_keys:write", "it works no more"),
        Pages("team", "list", "/v1/team_members", "team:read", "everybody") with
        {
            Columns = "id name role subject created_at",
        },
        Show("team", "show", "/v1/team_members/{id}", "team:read", "one of them"),
        Keyed("team", "add", "/v1/team_members", "team:write", "somebody new") with
        {
            Body = "name! role! subject!",
        },
        Delete("team", "remove", "/v1/team_members/{id}", "team:write", "somebody who leaves"),
        Pages("locations", "list", "/v1/locations", "locations:read", "all locations") with
        {
            Columns = "id name reference time_zone created_at",
        },
        Show("locations", "show", "/v1/locations/{id}", "locations:read", "one location"),
        Pages("terminals", "list", "/v1/locations/{id}/terminals", "locations:read", "all of a location") with
        {
            Columns = "id name status reference block_reason created_at",
        },
        Keyed(
            "terminals",
            "block",
            "/v1/locations/{id}/terminals/{terminalId}/block",
            "locations:write",
            "a till that is lost"
        ) with
        {
            Body = "reason",
        },
        Keyed(
            "terminals",
            "unblock",
            "/v1/locations/{id}/terminals/{terminalId}/unblock",
            "locations:write",
            "after a block"
        ),
        Pages("requests", "list", "/v1/requests", "requests:read", "newest first, of the last 30 days") with
        {
            Filters = "from until service method route path status min_status credential request_id",
            Columns = "occurred_at status method path code duration_ms credential request_id",
        },
        Show("requests", "show", "/v1/requests/{request_id}", "requests:read", "one request"),
        Pages("audit", "own", "/v1/audit", "audit:read", "who did what at a merchant") with
        {
            Filters = "action target actor from until",
            Columns = "occurred_at action target actor role reason service request_id",
        },
        File("audit", "export", "/v1/audit/export", "audit:read", "a merchant's whole audit, a line an entry"),
        Pages("audit", "checkpoints", "/v1/audit/checkpoints", "audit:read", "how far it went, signed") with
        {
            Columns = "size signed_at hash",
        },
        Show("audit", "key", "/v1/audit/key", "audit:read", "the public key that signs it"),
    ];

    private static readonly ApiVerb[] Webhooks =
    [
        Pages("events", "list", "/v1/events", "events:read", "newest first") with
        {
            Filters = "type object from until order",
            Columns = "time id type subject sequence",
            Shorthands = ["type", "object"],
        },
        Show("events", "show", "/v1/events/{id}", "events:read", "one event"),
        Pages("webhooks", "list", "/v1/webhook_endpoints", "webhooks:read", "all endpoints") with
        {
            Columns = "id status url event_types ordered failing_since disabled_reason created_at",
        },
        Show("webhooks", "show", "/v1/webhook_endpoints/{id}", "webhooks:read", "one endpoint"),
        Keyed(
            "webhooks",
            "create",
            "/v1/webhook_endpoints",
            "webhooks:write",
            "a new one; its secret is shown once"
        ) with
        {
            Body = "url! event_types:list description ordered:flag",
        },
        Delete("webhooks", "remove", "/v1/webhook_endpoints/{id}", "webhooks:write", "nothing more is sent to it"),
        Keyed("webhooks", "test", "/v1/webhook_endpoints/{id}/test", "webhooks:write", "a ping to it") with
        {
            Body = "{}",
        },
        Pages("webhooks", "deliveries", "/v1/webhook_endpoints/{id}/deliveries", "webhooks:read", "what was sent") with
        {
            Filters = "status",
            Columns = "event_id event_type status attempts last_status last_error created_at next_attempt_at",
        },
        Show(
            "webhooks",
            "delivery",
            "/v1/webhook_endpoints/{id}/deliveries/{event_id}",
            "webhooks:read",
            "one delivery, with each attempt"
        ),
        Keyed(
            "webhooks",
            "redeliver",
            "/v1/webhook_endpoints/{id}/deliveries/{event_id}/redeliver",
            "webhooks:write",
            "one event once more"
        ) with
        {
            Body = "{}",
        },
        Keyed(
            "webhooks",
            "redeliver-all",
            "/v1/webhook_endpoints/{id}/redeliver",
            "webhooks:write",
            "all that failed, or all, of a time"
        ) with
        {
            Body = "{} from:time until:time only",
        },
        Keyed(
            "webhooks",
            "roll-secret",
            "/v1/webhook_endpoints/{id}/roll_secret",
            "webhooks:write",
            "a new secret"
        ) with
        {
            Body = "{} overlap_seconds:number",
        },
        Pages("notifications", "list", "/v1/notifications", "notifications:read", "messages, newest first") with
        {
            Columns = "id kind channel status attempts created_at sent_at last_error",
        },
    ];

    public static IEnumerable<ApiVerb> All => [.. Cards, .. Redemptions, .. Imports, .. Account, .. Webhooks];
}
