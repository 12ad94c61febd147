using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>The states of an import, in their order.</summary>
internal static class ImportState
{
    public const string Uploading = "uploading";
    public const string Checking = "checking";
    public const string Checked = "checked";
    public const string Committing = "committing";
    public const string Committed = "committed";
    public const string Reverting = "reverting";
    public const string Reverted = "reverted";
    public const string Cancelled = "cancelled";
}

/// <summary>The states of one of its rows. One that is placed is a card that has no value yet.</summary>
internal static class ImportRowState
{
    public const string Ready = "ready";
    public const string Refused = "refused";
    public const string Placed = "placed";
    public const string Imported = "imported";
    public const string Leaving = "leaving";
    public const string Reverted = "reverted";
    public const string Kept = "kept";
}

/// <summary>An import's row.</summary>
internal sealed record ImportRow(
    JobId ImportId,
    MerchantId MerchantId,
    ProgramId ProgramId,
    string Currency,
    long MaxBalance,
    string Pin,
    string State,
    string Amounts,
    string? Columns,
    string? Reference,
    int Rows,
    int Refused,
    int Checked,
    long Amount,
    int Imported,
    long ImportedAmount,
    int Reverted,
    long RevertedAmount,
    AccountId AccountId,
    int AtPart,
    int AtLine,
    bool CancelWanted,
    string? LastError,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset ChangedAt
)
{
    public const string Select = """
        SELECT i.import_id, i.merchant_id, i.program_id, p.currency, p.max_balance, p.pin, i.state, i.amounts,
               i.columns::text AS columns, i.reference, i.rows, i.refused, i.checked, i.amount, i.imported,
               i.imported_amount, i.reverted, i.reverted_amount, i.account_id, i.at_part, i.at_line, i.cancel_wanted,
               i.last_error, i.version, i.created_at, i.changed_at
          FROM card_imports i
          JOIN programs p
            ON p.program_id = i.program_id
        """;

    /// <summary>The account's name in the merchant's books.</summary>
    public string AccountName => $"migration:{ImportId}";

    public ImportView ToView()
    {
        var currency = Kernel.Currency.Parse(Currency);
        return new(
            ImportId,
            ProgramId,
            State,
            Amounts,
            Reference,
            Rows,
            Refused,
            State is ImportState.Uploading or ImportState.Checking ? null : new Money(Amount, currency),
            Imported,
            new Money(ImportedAmount, currency),
            Reverted,
            new Money(RevertedAmount, currency),
            AccountId,
            LastError,
            Version,
            CreatedAt,
            ChangedAt
        );
    }
}

/// <summary>An import as the API shows it.</summary>
/// <param name="Rows">Lines that were uploaded, without heads.</param>
/// <param name="Refused">Rows that are not imported; GET /v1/jobs/{id}/errors says why.</param>
/// <param name="Amount">What a commit would import; once it was checked.</param>
/// <param name="Imported">Cards that exist because of it, also those that were reverted since.</param>
/// <param name="MigrationAccountId">The account that pays: minus its balance is what was imported and not
/// reverted.</param>
internal sealed record ImportView(
    JobId Id,
    ProgramId ProgramId,
    string State,
    string Amounts,
    string? Reference,
    int Rows,
    int Refused,
    Money? Amount,
    int Imported,
    Money ImportedAmount,
    int Reverted,
    Money RevertedAmount,
    AccountId MigrationAccountId,
    string? LastError,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset ChangedAt
)
{
    public string Object { get; } = "gift_card_import";
}
