using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Earnings;

/// <summary>What one rule gives, and why it is no more.</summary>
/// <param name="RuleId">Absent: the programme's own rate.</param>
/// <param name="Version">Of the rule, or of the programme.</param>
/// <param name="CutBy">The bound that made it less than the rule says; absent: none.</param>
internal sealed record AwardView(EarningRuleId? RuleId, string Name, long Version, long Points, string? CutBy)
{
    public static AwardView Of(StoredAward award) =>
        new(
            award.RuleId,
            award.Name,
            award.Version,
            award.Points,
            award.Cut switch
            {
                Rules.CutBy.MaxPerPurchase => "max_per_purchase",
                Rules.CutBy.MaxPerDay => "max_per_day",
                Rules.CutBy.MaxPerMember => "max_per_member",
                Rules.CutBy.Budget => "budget",
                _ => null,
            }
        );
}

internal sealed record EarnedLineView(string? Product, string? Category, Money Amount, long Points, Money Refunded);

/// <summary>A purchase and what it earned.</summary>
/// <param name="State">pending, earned, partially_refunded or refunded.</param>
/// <param name="TakenBack">Of the points, what refunds took.</param>
internal sealed record EarningView(
    EarningId Id,
    ProgramId ProgramId,
    MemberId MemberId,
    string Reference,
    string State,
    Money Amount,
    long Points,
    long TakenBack,
    IReadOnlyList<AwardView> Awards,
    IReadOnlyList<EarnedLineView> Lines,
    LocationId? LocationId,
    DateTimeOffset OccurredAt,
    DateTimeOffset? ReleaseAt,
    DateTimeOffset CreatedAt
)
{
    public string Object { get; } = "earning";
}

/// <summary>A row of earnings with its programme's currency.</summary>
internal sealed record EarningRow(
    EarningId EarningId,
    MerchantId MerchantId,
    ProgramId ProgramId,
    MemberId MemberId,
    string Reference,
    string State,
    string Purchase,
    string Currency,
    long Points,
    long TakenBack,
    DateTimeOffset OccurredAt,
    DateTimeOffset? ReleaseAt,
    DateTimeOffset CreatedAt
)
{
    public const string Pending = "pending";
    public const string Earned = "earned";

    public const string Columns = """
        SELECT e.earning_id, e.merchant_id, e.program_id, e.member_id, e.reference, e.state,
               e.purchase::text AS purchase, p.currency, e.points, e.taken_back, e.occurred_at, e.release_at,
               e.created_at
          FROM earnings e
          JOIN loyalty_programs p
            ON p.program_id = e.program_id
        """;

    /// <summary>What was earned at the merchant's tills, or in its programmes, in its mode.</summary>
    public const string Visible = $"""
        {Columns}
         WHERE (e.merchant_id = @MerchantId OR p.merchant_id = @MerchantId)
           AND p.live = @Live
        """;

    public StoredPurchase ToPurchase() => StoredJson.Read<StoredPurchase>(Purchase);

    public EarningView ToView() => ToView(ToPurchase());

    /// <summary>As the other, with the purchase as it was read already.</summary>
    public EarningView ToView(StoredPurchase purchase)
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            EarningId,
            ProgramId,
            MemberId,
            Reference,
            purchase.IsRefunded ? "refunded"
                : purchase.IsTouched ? "partially_refunded"
                : State,
            new(purchase.Amount, currency),
            Points,
            TakenBack,
            [.. purchase.Awards.Select(AwardView.Of)],
            [
                .. purchase.Lines.Select(line => new EarnedLineView(
                    line.Product,
                    line.Category,
                    new(line.Amount, currency),
                    line.Points,
                    new(line.Refunded, currency)
                )),
            ],
            purchase.LocationId,
            OccurredAt,
            ReleaseAt,
            CreatedAt
        );
    }
}
