using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Accounts;

/// <summary>GET /v1/accounts/{id}/entries: entries after a sequence, oldest first, each with the balance it left.</summary>
internal static class ListEntries
{
    public static IEndpointRouteBuilder MapListEntries(this IEndpointRouteBuilder group)
    {
        group.MapGet("/accounts/{id}/entries", Handle).RequireScope("ledger:read");
        return group;
    }

    public static Task<IReadOnlyList<EntryRow>> ReadAsync(Database database, AccountId account, long after, int limit, CancellationToken cancel) =>
        database.QueryAsync<EntryRow>(Sql.After, new { account, after, limit }, cancel);

    private static async Task<IResult> Handle(
        AccountId id, long? after, int? limit, HttpContext http, Database database, CancellationToken cancel)
    {
        var size = CursorCodec.Limit(limit);
        await GetAccount.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        var rows = await ReadAsync(database, id, after ?? 0, size + 1, cancel);
        var page = Page<EntryRow>.Of(rows, size, row => $"{row.Sequence}");
        return Answer.Ok(new Page<EntryView>([.. page.Data.Select(EntryView.Of)], page.NextCursor, page.HasMore));
    }

    private static class Sql
    {
        public const string After = """
            SELECT entry_id, transaction_id, account_id, sequence, amount, balance_after, effective_at, recorded_at
              FROM ledger_entries
             WHERE account_id = @Account
               AND sequence > @After
             ORDER BY sequence
             LIMIT @Limit
            """;
    }
}

internal sealed record EntryRow(
    Guid EntryId, Guid TransactionId, Guid AccountId, long Sequence, long Amount, long BalanceAfter,
    DateTimeOffset EffectiveAt, DateTimeOffset RecordedAt);

internal sealed record EntryView(
    EntryId Id, string Object, TransactionId TransactionId, AccountId AccountId, long Sequence, long Amount, long BalanceAfter,
    DateTimeOffset EffectiveAt, DateTimeOffset RecordedAt)
{
    public static EntryView Of(EntryRow row) => new(
        new EntryId(row.EntryId), "entry", new TransactionId(row.TransactionId), new AccountId(row.AccountId), row.Sequence, row.Amount,
        row.BalanceAfter, row.EffectiveAt, row.RecordedAt);
}
