using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// GET /ops/v1/audit/verify?merchant_id=: reads a chain from its beginning and says whether each entry is as it was
/// written, none is missing and the end is there. With <c>size</c> and <c>hash</c> of a head that was kept elsewhere
/// (the last line of an export) also whether the chain is still the one that had that head: whoever can change all of
/// the database can not change what was kept. Refusals: invalid_request.
/// </summary>
internal static class VerifyAudit
{
    private const int PageSize = 1000;

    /// <param name="Verified">All is as it was.</param>
    /// <param name="Size">Entries that the chain says it has.</param>
    /// <param name="Hash">That of the last one, in base64: to be kept elsewhere.</param>
    /// <param name="Problem">edited, missing, cut_off, or other_head; absent: none.</param>
    /// <param name="Position">Of the first entry that has it.</param>
    internal sealed record Response(
        string Object,
        MerchantId? MerchantId,
        bool Verified,
        long Size,
        byte[] Hash,
        string? Problem,
        long? Position
    );

    public static IEndpointRouteBuilder MapVerifyAudit(this IEndpointRouteBuilder operators)
    {
        operators.MapGet("/audit/verify", HandleAsync).WithName(nameof(VerifyAudit)).Produces<Response>();
        return operators;
    }

    private static async Task<IResult> HandleAsync(
        Database database,
        CancellationToken cancel,
        [FromQuery(Name = "merchant_id")] MerchantId? merchantId = null,
        long? size = null,
        string? hash = null
    )
    {
        var known = new byte[AuditLog.Head.None.Hash.Length];
        new FieldChecks()
            .Require((size is null) == (hash is null), "hash", "with_size")
            .Require(size is null or >= 0, "size")
            .Require(
                hash is null || Convert.TryFromBase64String(hash, known, out var length) && length == known.Length,
                "hash",
                "invalid"
            )
            .ThrowIfAny();
        var chain = AuditLog.ChainOf(merchantId);
        var head =
            await database.QuerySingleOrDefaultAsync<AuditLog.Head>(AuditLog.Sql.Head, new { Chain = chain }, cancel)
            ?? AuditLog.Head.None;
        var kept = size is { } at ? new AuditLog.Head(at, known) : null;
        var (problem, position) = await WalkAsync(database, chain, head, kept, cancel);
        return Answer.Ok(
            new Response("audit_verification", merchantId, problem is null, head.Size, head.Hash, problem, position)
        );
    }

    private static async Task<(string? Problem, long? Position)> WalkAsync(
        Database database,
        Guid chain,
        AuditLog.Head head,
        AuditLog.Head? kept,
        CancellationToken cancel
    )
    {
        var last = AuditLog.Head.None;
        if (
            kept is not null
            && (kept.Size > head.Size || (kept.Size == 0 && !kept.Hash.AsSpan().SequenceEqual(last.Hash)))
        )
        {
            return (kept.Size > head.Size ? "cut_off" : "other_head", head.Size);
        }

        while (last.Size < head.Size)
        {
            var page = await database.QueryAsync<AuditRow>(
                AuditLog.Sql.After,
                new
                {
                    Chain = chain,
                    After = last.Size,
                    Take = (int)Math.Min(PageSize, head.Size - last.Size),
                },
                cancel
            );
            if (page.Count == 0)
            {
                return ("cut_off", last.Size + 1);
            }

            foreach (var row in page)
            {
                if (row.Position != last.Size + 1)
                {
                    return ("missing", last.Size + 1);
                }

                if (!IsAsWritten(row, last))
                {
                    return ("edited", row.Position);
                }

                last = new(row.Position, row.Hash);
                if (kept?.Size == last.Size && !kept.Hash.AsSpan().SequenceEqual(last.Hash))
                {
                    return ("other_head", last.Size);
                }
            }
        }

        return last.Hash.AsSpan().SequenceEqual(head.Hash) ? (null, null) : ("edited", last.Size);
    }

    /// <summary>The link holds, and the columns say what the text says.</summary>
    private static bool IsAsWritten(AuditRow row, AuditLog.Head last)
    {
        if (!AuditLog.Link(last.Hash, row.Entry).AsSpan().SequenceEqual(row.Hash))
        {
            return false;
        }

        var entry = KeptEntry.Read(row.Entry);
        return (entry.Position, entry.EventId, entry.Action, entry.Target, entry.Actor, entry.OccurredAt)
            == (row.Position, row.EventId, row.Action, row.Target, row.Actor, row.OccurredAt);
    }
}
