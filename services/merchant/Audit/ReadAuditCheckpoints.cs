using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// GET /v1/audit/checkpoints: what was signed of the merchant's chain, newest first; GET /v1/audit/key: the public key
/// that it was signed with. Refusals: invalid_request.
/// </summary>
internal static class ReadAuditCheckpoints
{
    /// <param name="Size">Entries of the chain at that time.</param>
    /// <param name="Hash">Of the last of them, in base64.</param>
    /// <param name="Note">The signed text (C2SP tlog-checkpoint; the root is the hash).</param>
    internal sealed record View(string Object, long Size, byte[] Hash, string Note, DateTimeOffset SignedAt);

    public static IEndpointRouteBuilder MapReadAuditCheckpoints(this IEndpointRouteBuilder merchants)
    {
        merchants
            .MapGet("/audit/checkpoints", ListAsync)
            .RequireScope("audit:read")
            .WithName("ListAuditCheckpoints")
            .Produces<Page<View>>();
        merchants
            .MapGet("/audit/key", (AuditSigner signer) => Answer.Ok(signer.View()))
            .RequireScope("audit:read")
            .WithName("GetAuditKey")
            .Produces<CheckpointKeyView>();
        return merchants;
    }

    private static async Task<IResult> ListAsync(
        int? limit,
        string? cursor,
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        const string filters = "audit_checkpoints";
        var (merchant, count) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit));
        var rows = await database.QueryAsync<AuditCheckpointRow>(
            Sql.List,
            new
            {
                Chain = AuditLog.ChainOf(merchant),
                Below = cursors.Read(cursor, merchant, filters).Number,
                Take = count + 1,
            },
            cancel
        );
        var page = Page<AuditCheckpointRow>.Of(
            rows,
            count,
            row => cursors.Write(Keyset.Of(row.SignedAt, row.Size), merchant, filters)
        );
        return Answer.Ok(
            new Page<View>(
                [.. page.Data.Select(row => new View("audit_checkpoint", row.Size, row.Hash, row.Note, row.SignedAt))],
                page.NextCursor,
                page.HasMore
            )
        );
    }

    private static class Sql
    {
        public const string List = """
            SELECT size, hash, note, signed_at
              FROM audit_checkpoints
             WHERE chain = @Chain
               AND size < @Below
             ORDER BY size DESC
             LIMIT @Take
            """;
    }
}

/// <summary>A row of audit_checkpoints.</summary>
internal sealed record AuditCheckpointRow(long Size, byte[] Hash, string Note, DateTimeOffset SignedAt);
