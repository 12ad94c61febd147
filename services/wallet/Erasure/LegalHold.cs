using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Erasure;

/// <summary>Something for which a person's data has to be kept.</summary>
internal readonly record struct LegalHoldId(Guid Value) : IId<LegalHoldId>
{
    public static string Prefix => "lgh";

    public static LegalHoldId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out LegalHoldId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <summary>A hold as it is shown.</summary>
/// <param name="SetBy">merchant or operator; who set it lifts it.</param>
/// <param name="Reason">Absent in answers to changes, which are kept for repeats.</param>
/// <param name="LiftedAt">Absent: it stands.</param>
internal sealed record LegalHoldView(
    LegalHoldId Id,
    string Object,
    CustomerId CustomerId,
    string SetBy,
    string Actor,
    string? Reason,
    DateTimeOffset SetAt,
    string? LiftedBy,
    string? LiftReason,
    DateTimeOffset? LiftedAt
);

/// <summary>A row of legal_holds.</summary>
internal sealed record LegalHoldRow(
    LegalHoldId HoldId,
    CustomerId CustomerId,
    string SetBy,
    string Actor,
    byte[]? Reason,
    DateTimeOffset SetAt,
    string? LiftedBy,
    byte[]? LiftReason,
    DateTimeOffset? LiftedAt
)
{
    public const string Columns = """
        SELECT h.hold_id, h.customer_id, h.set_by, h.actor, h.reason, h.set_at, h.lifted_by, h.lift_reason, h.lifted_at
          FROM legal_holds h
        """;

    public LegalHoldView ToView(string? reason = null, string? liftReason = null) =>
        new(HoldId, "legal_hold", CustomerId, SetBy, Actor, reason, SetAt, LiftedBy, liftReason, LiftedAt);
}

/// <summary>Holds of persons, whoever sets them.</summary>
internal sealed class LegalHolds(PersonalDataVault vault)
{
    public const string Merchant = "merchant";
    public const string Operator = "operator";

    /// <summary>Characters of a reason.</summary>
    public const int ReasonLength = 500;

    private const string ReasonKind = "legal_hold";

    /// <summary>Refuses with customer_on_hold.</summary>
    public static async Task RequireNoneAsync(DbSession db, CustomerId customer)
    {
        if (await db.QuerySingleOrDefaultAsync<bool>(Sql.Stands, new { CustomerId = customer }))
        {
            throw new FaultException(Faults.CustomerOnHold, "The data has to be kept until the legal hold is lifted.");
        }
    }

    /// <summary>All of a person's, newest first, with their reasons.</summary>
    public async Task<IReadOnlyList<LegalHoldView>> ReadAsync(DbSession db, CustomerRow customer)
    {
        var rows = await db.QueryAsync<LegalHoldRow>(Sql.List, new { customer.CustomerId });
        return [.. rows.Select(row => row.ToView(Open(customer, row.Reason), Open(customer, row.LiftReason)))];
    }

    /// <summary>A hold; one that this side has set before stays as it is.</summary>
    public async Task<LegalHoldView> SetAsync(
        DbSession db,
        CustomerRow customer,
        MerchantId merchant,
        Hand hand,
        string reason
    )
    {
        await db.ExecuteAsync(
            Sql.Set,
            new
            {
                HoldId = LegalHoldId.From(Guid.CreateVersion7(db.Now)),
                customer.CustomerId,
                MerchantId = merchant,
                SetBy = hand.Side,
                hand.Actor,
                Reason = Seal(customer, reason),
                db.Now,
            }
        );
        var row = await db.QuerySingleAsync<LegalHoldRow>(Sql.Standing, new { customer.CustomerId, SetBy = hand.Side });
        return row.ToView();
    }

    /// <summary>Lifts the hold that this side has set; refuses with not_found.</summary>
    public async Task<LegalHoldView> LiftAsync(DbSession db, CustomerRow customer, Hand hand, string reason)
    {
        var row =
            await db.QuerySingleOrDefaultAsync<LegalHoldRow>(
                Sql.Standing,
                new { customer.CustomerId, SetBy = hand.Side }
            ) ?? throw new FaultException(CommonFaults.NotFound, $"No legal hold of the {hand.Side} stands.");
        var now = db.Now;
        await db.ExecuteAsync(
            Sql.Lift,
            new
            {
                row.HoldId,
                LiftedBy = hand.Actor,
                LiftReason = Seal(customer, reason),
                Now = now,
            }
        );
        return (row with { LiftedBy = hand.Actor, LiftedAt = now }).ToView();
    }

    /// <summary>With a person that becomes another: its holds of before go along, from one key to the other.</summary>
    public async Task MoveAsync(DbSession db, CustomerRow from, CustomerRow into)
    {
        foreach (var row in await db.QueryAsync<LegalHoldRow>(Sql.List, new { from.CustomerId }))
        {
            await db.ExecuteAsync(
                Sql.Move,
                new
                {
                    row.HoldId,
                    Into = into.CustomerId,
                    Reason = Open(from, row.Reason) is { } reason ? Seal(into, reason) : null,
                    LiftReason = Open(from, row.LiftReason) is { } lift ? Seal(into, lift) : null,
                }
            );
        }
    }

    private byte[] Seal(CustomerRow customer, string reason) =>
        vault.SealText(customer.CustomerId, customer.WrappedKey, ReasonKind, reason);

    private string? Open(CustomerRow customer, byte[]? box) =>
        box is null ? null : vault.OpenText(customer.CustomerId, customer.WrappedKey, ReasonKind, box);

    /// <summary>Who sets or lifts.</summary>
    internal readonly record struct Hand(string Side, string Actor)
    {
        public static Hand OfMerchant(MerchantIdentity merchant) =>
            new(Merchant, merchant.Person ?? merchant.KeyId.ToString());

        public static Hand OfOperator(OperatorIdentity who) => new(Operator, who.Subject);
    }

    private static class Sql
    {
        public const string Stands = """
            SELECT true
              FROM legal_holds
             WHERE customer_id = @CustomerId
               AND lifted_at IS NULL
             LIMIT 1
            """;

        public const string List = $"""
            {LegalHoldRow.Columns}
             WHERE h.customer_id = @CustomerId
             ORDER BY h.set_at DESC, h.hold_id DESC
            """;

        public const string Standing = $"""
            {LegalHoldRow.Columns}
             WHERE h.customer_id = @CustomerId
               AND h.set_by = @SetBy
               AND h.lifted_at IS NULL
            """;

        public const string Set = """
            INSERT INTO legal_holds (hold_id, customer_id, merchant_id, set_by, actor, reason, set_at)
            VALUES (@HoldId, @CustomerId, @MerchantId, @SetBy, @Actor, @Reason, @Now)
                ON CONFLICT (customer_id, set_by) WHERE lifted_at IS NULL DO NOTHING
            """;

        public const string Lift = """
            UPDATE legal_holds
               SET lifted_by = @LiftedBy, lift_reason = @LiftReason, lifted_at = @Now
             WHERE hold_id = @HoldId
            """;

        public const string Move = """
            UPDATE legal_holds
               SET customer_id = @Into, reason = @Reason, lift_reason = @LiftReason
             WHERE hold_id = @HoldId
            """;
    }
}
