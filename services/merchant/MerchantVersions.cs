using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>The merchant may sell. Data of merchant.onboarded.v1; no name, no address.</summary>
internal sealed record Onboarded(string Mode, string Country, Currency Currency, string Locale)
{
    public const string Topic = "merchant.onboarded.v1";
}

/// <summary>What a merchant is after a change. Data of merchant.changed.v1; no name, no address.</summary>
/// <param name="Action">What was done: approved, suspended, resumed, closed, changed.</param>
internal sealed record Changed(
    string Action,
    MerchantStatus Status,
    string Mode,
    string Country,
    Currency Currency,
    string Locale
)
{
    public const string Topic = "merchant.changed.v1";
}

/// <summary>What is done to a merchant, by whom and why.</summary>
internal sealed record Change(string Action, Actor Actor, string? Reason = null);

/// <summary>Who changed a merchant.</summary>
/// <param name="Id">An operator's subject, which the merchant does not see, or an API key's id.</param>
internal sealed record Actor(string Kind, string? Id)
{
    private const string Operator = "operator";

    public static Actor OperatorOf(HttpContext http) => new(Operator, http.GetOperator().Subject);

    public static Actor MerchantOf(HttpContext http) =>
        http.GetMerchant() is { Person: { } person }
            ? new("person", person)
            : new("api_key", http.GetMerchant().KeyId.ToString());

    public Actor ForMerchant() => Kind == Operator ? this with { Id = null } : this;
}

/// <summary>
/// Each version of a merchant, written with the change that made it. Others learn of a merchant when it is activated,
/// and from then on of each change.
/// </summary>
internal static class MerchantVersions
{
    /// <summary>Writes the version that the merchant now has, and tells others, in the caller's transaction.</summary>
    public static async Task AddAsync(DbSession db, MerchantRow merchant, Change change, ILogger log)
    {
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                merchant.MerchantId,
                merchant.Version,
                change.Action,
                ActorKind = change.Actor.Kind,
                Actor = change.Actor.Id,
                change.Reason,
                Merchant = JsonSerializer.Serialize(merchant.ToView(), StrictJson.Options),
                CreatedAt = db.Now,
            }
        );
        await TellAsync(db, merchant, change.Action);
        log.MerchantChanged(merchant.MerchantId, merchant.Version, change.Action);
    }

    private static Task TellAsync(DbSession db, MerchantRow merchant, string action)
    {
        var (key, currency) = (merchant.MerchantId.ToString(), Currency.Parse(merchant.Currency));
        return action switch
        {
            _ when merchant.ActivatedAt is null => Task.CompletedTask,
            "onboarded" or "approved" => db.PublishAsync(
                Onboarded.Topic,
                "merchant.onboarded",
                key,
                merchant.Version,
                merchant.MerchantId,
                new Onboarded(merchant.Mode, merchant.Country, currency, merchant.Locale)
            ),
            _ => db.PublishAsync(
                Changed.Topic,
                "merchant.changed",
                key,
                merchant.Version,
                merchant.MerchantId,
                new Changed(action, merchant.Standing, merchant.Mode, merchant.Country, currency, merchant.Locale)
            ),
        };
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO merchant_versions (merchant_id, version, action, actor_kind, actor, reason, merchant,
                   created_at)
            VALUES (@MerchantId, @Version, @Action, @ActorKind, @Actor, @Reason, @Merchant::jsonb,
                   @CreatedAt)
            """;
    }
}
