using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

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
internal sealed record ImportRow(ImportOrderPart Order, ImportProgressPart Progress) : IRowOfParts<ImportRow>
{
    public const string Select = """
        SELECT i.import_id, i.merchant_id, i.program_id, i.account_id, p.currency, p.max_balance, p.pin, i.amounts,
               i.columns::text AS columns, i.reference, i.created_at,
               i.state, i.rows, i.refused, i.checked, i.amount, i.imported, i.imported_amount, i.reverted,
               i.reverted_amount, i.at_part, i.at_line, i.cancel_wanted, i.last_error, i.version, i.changed_at
          FROM card_imports i
          JOIN programs p
            ON p.program_id = i.program_id
        """;

    public static string SplitOn => "state";

    public JobId ImportId => Order.ImportId;

    public MerchantId MerchantId => Order.MerchantId;

    public AccountId AccountId => Order.AccountId;

    public string State => Progress.State;

    public static Task<IEnumerable<ImportRow>> QueryAsync(NpgsqlConnection connection, CommandDefinition command) =>
        connection.QueryAsync<ImportOrderPart, ImportProgressPart, ImportRow>(
            command,
            (order, progress) => new(order, progress),
            SplitOn
        );

    /// <summary>The account's name in the merchant's books.</summary>
    public string AccountName => $"migration:{ImportId}";

    public ImportView ToView()
    {
        var currency = Currency.Parse(Order.Currency);
        return new(
            ImportId,
            Order.ProgramId,
            State,
            Order.Amounts,
            Order.Reference,
            Progress.Rows,
            Progress.Refused,
            State is ImportState.Uploading or ImportState.Checking ? null : new Money(Progress.Amount, currency),
            Progress.Imported,
            new Money(Progress.ImportedAmount, currency),
            Progress.Reverted,
            new Money(Progress.RevertedAmount, currency),
            AccountId,
            Progress.LastError,
            Progress.Version,
            Order.CreatedAt,
            Progress.ChangedAt
        );
    }
}

/// <summary>What was asked for, which never changes, and the terms of the programme that the cards are of.</summary>
internal sealed record ImportOrderPart(
    JobId ImportId,
    MerchantId MerchantId,
    ProgramId ProgramId,
    AccountId AccountId,
    string Currency,
    long MaxBalance,
    string Pin,
    string Amounts,
    string? Columns,
    string? Reference,
    DateTimeOffset CreatedAt
);

/// <summary>How far it is.</summary>
/// <param name="AtPart">With <paramref name="AtLine"/>, the row that the present step goes on after.</param>
internal sealed record ImportProgressPart(
    string State,
    int Rows,
    int Refused,
    int Checked,
    long Amount,
    int Imported,
    long ImportedAmount,
    int Reverted,
    long RevertedAmount,
    int AtPart,
    int AtLine,
    bool CancelWanted,
    string? LastError,
    long Version,
    DateTimeOffset ChangedAt
);

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
