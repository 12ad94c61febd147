using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>A day's part of a statement, in minor units.</summary>
internal sealed record StatementDay(DateOnly Date, long Captured, long Refunded, long Commission);

/// <summary>A statement's row.</summary>
/// <param name="Days">JSON of <see cref="StatementDay"/>.</param>
internal sealed record StatementRow(
    SettlementStatementId StatementId,
    MerchantId IssuerId,
    MerchantId MerchantId,
    string Currency,
    DateOnly Month,
    long Opening,
    long Captured,
    long Refunded,
    long Commission,
    long Redemptions,
    long Refunds,
    string Days,
    DateTimeOffset ClosedAt
)
{
    public const string Columns = """
        SELECT statement_id, issuer_id, merchant_id, currency, month, opening, captured, refunded, commission,
               redemptions, refunds, days::text AS days, closed_at
          FROM settlement_statements
        """;

    /// <summary>What the issuer owed the other at the end of the month.</summary>
    public long Closing => checked(Opening + Captured - Refunded - Commission);

    /// <summary>
    /// The movements in order: what was written down after its month was closed first, without a day, if there is any.
    /// </summary>
    public IReadOnlyList<(DateOnly? Date, long Captured, long Refunded, long Commission)> Movements()
    {
        var days = StoredJson.Read<StatementDay[]>(Days);
        var late = (
            Captured - days.Sum(d => d.Captured),
            Refunded - days.Sum(d => d.Refunded),
            Commission - days.Sum(d => d.Commission)
        );
        return
        [
            .. late == (0, 0, 0)
                ? Array.Empty<(DateOnly?, long, long, long)>()
                : [(null, late.Item1, late.Item2, late.Item3)],
            .. days.Select(d => ((DateOnly?)d.Date, d.Captured, d.Refunded, d.Commission)),
        ];
    }

    public StatementView ToView(MerchantId reader)
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            StatementId,
            reader == IssuerId ? "owed_to_others" : "owed_to_us",
            IssuerId,
            MerchantId,
            Reports.Month.Name(Month),
            new(Opening, currency),
            new(Captured, currency),
            new(Refunded, currency),
            new(Commission, currency),
            new(Closing, currency),
            Redemptions,
            Refunds,
            ClosedAt
        );
    }
}

/// <summary>
/// A statement as the API shows it: opening and captured, less refunded and commission, is closing.
/// </summary>
/// <param name="Direction">owed_to_others: the reader is the issuer. owed_to_us: the reader's tills took its cards.
/// </param>
internal sealed record StatementView(
    SettlementStatementId Id,
    string Direction,
    MerchantId IssuerId,
    MerchantId MerchantId,
    string Month,
    Money Opening,
    Money Captured,
    Money Refunded,
    Money Commission,
    Money Closing,
    long Redemptions,
    long Refunds,
    DateTimeOffset ClosedAt
)
{
    public string Object { get; } = "settlement_statement";
}

internal sealed record StatementList(IReadOnlyList<StatementView> Data)
{
    public string Object { get; } = "list";
}
