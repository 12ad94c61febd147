using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>An account as it is read without a lock; a striped one is the sum of its stripes.</summary>
internal sealed record AccountRow(
    AccountId AccountId,
    MerchantId MerchantId,
    string Name,
    string Asset,
    long? Floor,
    long? Ceiling,
    string Status,
    bool Striped,
    string? OpenedBy,
    long Posted,
    long Held,
    long Sequence,
    long Revision,
    DateTimeOffset CreatedAt
)
{
    /// <summary>The service that alone changes it; null: it is the merchant's own.</summary>
    public string? Owner => OpenedBy ?? Books.ReservedNames.OwnerOf(Name);

    /// <summary>The columns, for every statement that reads accounts a.</summary>
    public const string Columns = """
        a.account_id, a.merchant_id, a.name, a.asset, a.floor, a.ceiling, a.status, a.striped, a.owner AS opened_by,
        a.posted + COALESCE(s.posted, 0)::bigint AS posted, a.held,
        a.sequence + COALESCE(s.sequence, 0)::bigint AS sequence,
        a.revision + COALESCE(s.sequence, 0)::bigint AS revision, a.created_at
        """;

    public const string Source = """
        accounts a
        LEFT JOIN LATERAL (SELECT sum(posted) AS posted, sum(sequence) AS sequence
                             FROM account_stripes WHERE account_id = a.account_id) s ON a.striped
        """;
}
