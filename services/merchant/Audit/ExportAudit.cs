using System.Text.Json;
using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// GET /v1/audit/export: the merchant's whole chain as NDJSON, the oldest first: each entry's text and its hash, which
/// is SHA-256 of the hash before it (32 zero bytes before the first) and of the text; the last line is its head, with
/// the signed checkpoint that says so. Whoever keeps it needs nobody to see later whether an entry was changed, left
/// out or cut off: <c>localplus verify</c> proves it with the public key of GET /v1/audit/key.
/// </summary>
internal static class ExportAudit
{
    private const int PageSize = 500;
    private const string Ndjson = "application/x-ndjson";

    internal sealed record Line(string Object, long Position, string Entry, byte[] Hash);

    /// <param name="Note">The signed checkpoint of this head; absent of an empty chain.</param>
    internal sealed record HeadLine(string Object, long Size, byte[] Hash, string? Note);

    public static IEndpointRouteBuilder MapExportAudit(this IEndpointRouteBuilder merchants)
    {
        merchants
            .MapGet("/audit/export", HandleAsync)
            .RequireScope("audit:read")
            .WithName(nameof(ExportAudit))
            .Produces<string>(StatusCodes.Status200OK, Ndjson);
        return merchants;
    }

    private static async Task<IResult> HandleAsync(HttpContext http, Database database, CancellationToken cancel)
    {
        var chain = AuditLog.ChainOf(http.GetMerchant().MerchantId);
        http.Response.ContentType = Ndjson;
        var head = AuditLog.Head.None;
        for (var count = PageSize; count == PageSize; )
        {
            var page = await database.QueryAsync<AuditRow>(
                AuditLog.Sql.After,
                new
                {
                    Chain = chain,
                    After = head.Size,
                    Take = PageSize,
                },
                cancel
            );
            foreach (var row in page)
            {
                await WriteAsync(http, new Line("audit_entry", row.Position, row.Entry, row.Hash), cancel);
                head = new(row.Position, row.Hash);
            }

            count = page.Count;
        }

        var signed = await database.QueryAsync<AuditCheckpointRow>(
            AuditLog.Sql.Signed,
            new
            {
                Chain = chain,
                After = head.Size - 1,
                Until = head.Size,
            },
            cancel
        );
        var note = signed.SingleOrDefault()?.Note;
        await WriteAsync(http, new HeadLine("audit_head", head.Size, head.Hash, note), cancel);
        return Results.Empty;
    }

    private static async Task WriteAsync<T>(HttpContext http, T line, CancellationToken cancel)
    {
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, StrictJson.Options), cancel);
        await http.Response.Body.WriteAsync("\n"u8.ToArray(), cancel);
    }
}
