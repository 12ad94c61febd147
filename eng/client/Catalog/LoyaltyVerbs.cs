namespace LocalPlus.Client.Catalog;

using static Lines;

/// <summary>What merchants do with people and points, and how they read their books.</summary>
internal static class LoyaltyVerbs
{
    private static readonly ApiVerb[] People =
    [
        Pages("customers", "list", "/v1/customers", "customers:read", "all customers") with
        {
            Columns = "id email name locale created_at",
        },
        Show("customers", "show", "/v1/customers/{id}", "customers:read", "one customer"),
        Post("customers", "find", "/v1/customers/find", "customers:read", "by address or telephone") with
        {
            Body = "{} email phone",
        },
        Show("customers", "wallet", "/v1/customers/{id}/wallet", "customers:read", "cards and points of a customer"),
        Show("gdpr", "export", "/v1/customers/{id}/export", "privacy:read", "all that is kept about a customer"),
        Keyed("gdpr", "erase", "/v1/customers/{id}/erase", "privacy:write", "forget a customer for good") with
        {
            Body = "{}",
        },
        Show("gdpr", "status", "/v1/customers/{id}/erasure", "privacy:read", "when a customer was forgotten"),
        Keyed("gdpr", "hold", "/v1/customers/{id}/legal_hold", "privacy:write", "nothing is erased for now") with
        {
            Body = "reason!",
        },
        Keyed("gdpr", "lift", "/v1/customers/{id}/legal_hold/lift", "privacy:write", "after a hold") with
        {
            Body = "reason!",
        },
        Rows("gdpr", "holds", "/v1/customers/{id}/legal_holds", "privacy:read", "holds of a customer") with
        {
            Columns = "id set_by reason set_at lifted_by lift_reason lifted_at",
        },
    ];

    private static readonly ApiVerb[] Points =
    [
        Pages("loyalty", "list", "/v1/loyalty_programs", "loyalty:read", "all loyalty programmes") with
        {
            Columns = "id name state currency time_zone reference created_at",
        },
        Show("loyalty", "show", "/v1/loyalty_programs/{id}", "loyalty:read", "one of them"),
        Pages("loyalty", "rules", "/v1/earning_rules", "loyalty:read", "rules by which points are earned") with
        {
            Filters = "program_id",
            Columns = "id name state valid_from valid_to budget budget_spent program_id",
        },
        Pages("members", "list", "/v1/members", "members:read", "all members of a programme") with
        {
            Filters = "program_id!",
            Columns = "id state card_number points pending owed held tier customer_id created_at",
        },
        Show("members", "show", "/v1/members/{id}", "members:read", "one member"),
        Post("members", "find", "/v1/members/find", "members:read", "by card, address or telephone") with
        {
            Body = "program_id! card_number email phone",
        },
        Show("members", "balance", "/v1/members/{id}/balance", "members:read", "points, now or then") with
        {
            Filters = "as_of known_at",
        },
        Pages("members", "history", "/v1/members/{id}/history", "members:read", "every movement") with
        {
            Columns = "effective_at kind points pending owed purchase_reference reason id",
        },
        Pages("members", "lots", "/v1/members/{id}/lots", "members:read", "points, and until when") with
        {
            Columns = "id source points remaining value:money expires_at created_at",
        },
        Keyed("members", "adjust", "/v1/members/{id}/adjust", "members:write", "points by hand") with
        {
            Body = "points!:number reason!",
        },
    ];

    private static readonly ApiVerb[] Books =
    [
        Pages("accounts", "list", "/v1/accounts", "ledger:read", "all accounts") with
        {
            Filters = "name asset status",
            Columns = "id name asset status posted held available policy created_at",
        },
        Show("accounts", "show", "/v1/accounts/{id}", "ledger:read", "one account"),
        Show("accounts", "balance", "/v1/accounts/{id}/balance", "ledger:read", "now or then") with
        {
            Filters = "as_of known_at",
        },
        Pages("accounts", "entries", "/v1/accounts/{id}/entries", "ledger:read", "every entry") with
        {
            Filters = "from to",
            Columns = "sequence amount balance_after asset kind transaction_id effective_at reference",
        },
        File("accounts", "export", "/v1/accounts/{id}/entries/export", "ledger:read", "entries as lines or CSV") with
        {
            Filters = "format from to",
        },
        Show("accounts", "statement", "/v1/accounts/{id}/statement", "ledger:read", "from one day to another") with
        {
            Filters = "from to",
        },
        Pages("transactions", "list", "/v1/transactions", "ledger:read", "all transactions") with
        {
            Filters = "reference kind reverses hold_id from to",
            Columns = "id kind reference effective_at recorded_at reverses hold_id",
        },
        Show("transactions", "show", "/v1/transactions/{id}", "ledger:read", "one transaction"),
        Show("transactions", "receipt", "/v1/transactions/{id}/receipt", "ledger:read", "proof that it is in the log"),
    ];

    public static IEnumerable<ApiVerb> All => [.. People, .. Points, .. Books];
}
