namespace LocalPlus.Client.Catalog;

/// <summary>All verbs on the API.</summary>
internal static class ApiTable
{
    public static ApiVerb[] Verbs { get; } = [.. OperatorVerbs.All, .. MerchantVerbs.All, .. LoyaltyVerbs.All];

    /// <summary>What verbs of two words are about.</summary>
    public static readonly Dictionary<string, string> Groups = new()
    {
        ["bulk"] = "many at once: preview, look, say it, watch what becomes of each",
    };

    /// <summary>What each noun is, for its help.</summary>
    public static readonly Dictionary<string, string> Nouns = new()
    {
        ["accounts"] = "a merchant's accounts in the ledger",
        ["attention"] = "what people have to look at",
        ["audit"] = "who did what",
        ["batches"] = "cards that were made many at a time",
        ["cards"] = "gift cards: sell, look up, load, block",
        ["customers"] = "a merchant's customers",
        ["dlq"] = "dead letters: events that a service refused for good",
        ["events"] = "what happened to a merchant's objects: list it, send it again",
        ["findings"] = "where the books and the services differ",
        ["flags"] = "the platform's switches",
        ["gdpr"] = "a customer's rights: a copy of the data, erasure",
        ["imports"] = "cards that were sold elsewhere, step by step",
        ["jobs"] = "scheduled jobs of the platform; a merchant's imports and batches",
        ["keys"] = "a merchant's API keys",
        ["ledger"] = "check the books: verify them against the signed log, rebuild balances from entries",
        ["locations"] = "a merchant's locations",
        ["loyalty"] = "loyalty programmes and their rules",
        ["members"] = "members of a loyalty programme",
        ["merchants"] = "merchants, as operators see them; `me` is your own",
        ["notifications"] = "messages to holders and merchants",
        ["outbox"] = "events that wait to be sent, by service",
        ["programs"] = "gift card programmes",
        ["queues"] = "tasks at work, by queue",
        ["redemptions"] = "redemptions of a merchant",
        ["reports"] = "a merchant's figures",
        ["requests"] = "what a merchant asked the API, and was answered",
        ["rewards"] = "rewards that become gift cards",
        ["runs"] = "redemptions and their runs, as operators see them",
        ["team"] = "a merchant's people",
        ["terminals"] = "tills at a location",
        ["transactions"] = "a merchant's transactions in the ledger",
        ["webhooks"] = "a merchant's webhook endpoints and what was sent to them",
    };
}
