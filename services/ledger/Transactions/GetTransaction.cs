using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Transactions;

/// <summary>GET /v1/transactions/{id}.</summary>
internal static class GetTransaction
{
    public static IEndpointRouteBuilder MapGetTransaction(this IEndpointRouteBuilder group)
    {
        group.MapGet("/transactions/{id}", Handle).RequireScope("ledger:read");
        return group;
    }

    private static async Task<IResult> Handle(TransactionId id, HttpContext http, Database database, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<Row>(Sql.Find, new { id, Merchant = http.GetMerchant().MerchantId }, cancel)
            ?? throw new FaultException(CommonFaults.NotFound, $"There is no transaction {id}.");
        var postings = await database.QueryAsync<PostingRow>(Sql.Postings, new { id }, cancel);
        return Answer.Ok(new TransactionView(
            id.ToString(), "transaction", row.Reference, row.Kind,
            [.. postings.Select(p => new PostingView($"{new AccountId(p.SourceAccountId)}", $"{new AccountId(p.DestinationAccountId)}", p.Amount))],
            row.EffectiveAt, row.RecordedAt,
            row.ReversesTransactionId is { } reverses ? new TransactionId(reverses).ToString() : null,
            row.HoldId is { } hold ? new HoldId(hold).ToString() : null,
            JsonSerializer.Deserialize<SortedDictionary<string, string>>(row.Metadata)!));
    }

    private sealed record Row(
        string Reference, string Kind, Guid? ReversesTransactionId, Guid? HoldId, string Metadata, DateTimeOffset EffectiveAt, DateTimeOffset RecordedAt);

    private sealed record PostingRow(Guid SourceAccountId, Guid DestinationAccountId, long Amount);

    private static class Sql
    {
        public const string Find = """
            SELECT reference, kind, reverses_transaction_id, hold_id, metadata::text AS metadata, effective_at, recorded_at
              FROM transactions
             WHERE transaction_id = @Id
               AND merchant_id = @Merchant
            """;

        public const string Postings = """
            SELECT source_account_id, destination_account_id, amount
              FROM postings
             WHERE transaction_id = @Id
             ORDER BY ordinal
            """;
    }
}
