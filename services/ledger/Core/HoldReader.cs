using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>Reads one hold with its items, without a lock.</summary>
internal static class HoldReader
{
    public static Task<Hold> FindAsync(Database database, Guid merchant, Guid holdId, CancellationToken cancel) =>
        FindAsync(database, new { merchant, Id = (Guid?)holdId, Reference = (string?)null }, cancel);

    public static Task<Hold> FindAsync(Database database, Guid merchant, string reference, CancellationToken cancel) =>
        FindAsync(database, new { merchant, Id = (Guid?)null, Reference = (string?)reference }, cancel);

    private static async Task<Hold> FindAsync(Database database, object args, CancellationToken cancel)
    {
        var hold = await database.QuerySingleOrDefaultAsync<Hold>(Sql.Find, args, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such hold.");
        hold.Items.AddRange(await database.QueryAsync<HoldItem>(Sql.Items, new { hold.HoldId }, cancel));
        return hold;
    }

    private static class Sql
    {
        public const string Find = """
            SELECT hold_id, merchant_id, reference, state, requested, captured, transaction_id, metadata::text AS metadata,
                   placed_at, expires_at, version
              FROM holds
             WHERE merchant_id = @Merchant
               AND (hold_id = @Id OR reference = @Reference)
            """;

        public const string Items = """
            SELECT account_id, held, captured
              FROM hold_items
             WHERE hold_id = @HoldId
             ORDER BY ordinal
            """;
    }
}
