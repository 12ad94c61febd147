using System.Buffers;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Transactions;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// GET /v1/transactions/{id}/receipt: the transaction as it was hashed, the path from its leaf to the root, and the
/// signed checkpoint of that root: proof for whoever has the log's public key, without us. `sealed` is false for the
/// second until the transaction is in the log.
/// </summary>
internal static class GetReceipt
{
    public static IEndpointRouteBuilder MapGetReceipt(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/transactions/{id}/receipt", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(GetReceipt))
            .Produces<Receipt>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        TransactionId id,
        HttpContext http,
        Database database,
        LogTree tree,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<TransactionRow>(
                Sql.Transaction,
                new { id, Merchant = http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, $"There is no transaction {id}.");
        var leaf = await LeafReader.ReadAsync(database, row, cancel);
        var receipt = new Receipt("receipt", false, Content(leaf), leaf.Hash());
        if (await database.QuerySingleOrDefaultAsync<Place>(Sql.Place, new { id }, cancel) is { } place)
        {
            var path = await tree.HashesAsync(Merkle.InclusionPath(place.LeafIndex, place.Size), cancel);
            receipt = receipt with
            {
                Sealed = true,
                LeafIndex = place.LeafIndex,
                InclusionPath = path,
                Checkpoint = place.Note,
            };
        }

        return Answer.Ok(receipt);
    }

    /// <summary>The canonical text, byte for byte what the leaf hashes.</summary>
    private static JsonElement Content(Leaf leaf)
    {
        var buffer = new ArrayBufferWriter<byte>();
        leaf.WriteTo(buffer);
        return JsonSerializer.Deserialize<JsonElement>(buffer.WrittenSpan);
    }

    /// <summary>Hashes in base64. The checkpoint names the size of the tree that the path belongs to.</summary>
    private sealed record Receipt(
        string Object,
        bool Sealed,
        JsonElement Transaction,
        byte[] LeafHash,
        long? LeafIndex = null,
        IReadOnlyList<byte[]>? InclusionPath = null,
        string? Checkpoint = null
    );

    private sealed record Place(long LeafIndex, long Size, string Note);

    private static class Sql
    {
        public const string Transaction = $"""
            SELECT {TransactionRow.Columns}
              FROM transactions
             WHERE transaction_id = @Id
               AND merchant_id = @Merchant
            """;

        // A round writes leaves and checkpoint together, so the last checkpoint covers every leaf.
        public const string Place = """
            SELECT l.leaf_index, c.size, c.note
              FROM log_leaves l
             CROSS JOIN LATERAL (SELECT size, note FROM log_checkpoints ORDER BY size DESC LIMIT 1) AS c
             WHERE l.transaction_id = @Id
            """;
    }
}
