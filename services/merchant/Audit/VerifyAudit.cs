using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// GET /ops/v1/audit/verify?merchant_id=: reads a chain from its beginning and says whether each entry is as it was
/// written, none is missing, the end is there, and the chain is the one that was signed, each time that it was. With
/// <c>size</c> and <c>hash</c> of a head that was kept elsewhere (the last line of an export, an event of
/// merchant.checkpoints.v1) also whether the chain is still the one that had that head: whoever can change all of the
/// database and has the key can not change what was kept. Refusals: invalid_request.
/// </summary>
internal static class VerifyAudit
{
    private const int PageSize = 1000;

    /// <param name="Verified">All is as it was.</param>
    /// <param name="Size">Entries that the chain says it has.</param>
    /// <param name="Hash">That of the last one, in base64: to be kept elsewhere.</param>
    /// <param name="SignedAt">When this head was signed; absent of an empty chain.</param>
    /// <param name="Problem">
    /// edited, missing, cut_off, other_head, not_signed (the head, or a checkpoint is not of this key); absent: none.
    /// </param>
    /// <param name="Position">Of the first entry that has it.</param>
    internal sealed record Response(
        string Object,
        MerchantId? MerchantId,
        bool Verified,
        long Size,
        byte[] Hash,
        DateTimeOffset? SignedAt,
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
        AuditSigner signer,
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
        var of = new { Chain = chain };
        var head =
            await database.QuerySingleOrDefaultAsync<AuditLog.Head>(AuditLog.Sql.Head, of, cancel)
            ?? AuditLog.Head.None;
        var signed = await database.QuerySingleOrDefaultAsync<AuditCheckpointRow>(AuditLog.Sql.LastSigned, of, cancel);
        var kept = size is { } at ? new AuditLog.Head(at, known) : null;
        var (problem, position) = EndOf(head, signed, kept) is { } atEnd
            ? (atEnd, head.Size)
            : await new Walk(database, signer, chain, kept).ToAsync(head, cancel);
        return Answer.Ok(
            new Response(
                "audit_verification",
                merchantId,
                problem is null,
                head.Size,
                head.Hash,
                signed?.Size == head.Size ? signed.SignedAt : null,
                problem,
                position
            )
        );
    }

    /// <summary>What is wrong with the chain's end; null: nothing that can be seen without reading it.</summary>
    private static string? EndOf(AuditLog.Head head, AuditCheckpointRow? signed, AuditLog.Head? kept)
    {
        if (kept?.Size > head.Size || signed?.Size > head.Size)
        {
            return "cut_off";
        }

        if (kept is { Size: 0 } && !kept.Hash.AsSpan().SequenceEqual(AuditLog.Head.None.Hash))
        {
            return "other_head";
        }

        return head.Size > (signed?.Size ?? 0) ? "not_signed" : null;
    }

    /// <summary>Reads a chain, and what was signed of it, from the beginning.</summary>
    private sealed class Walk(Database database, AuditSigner signer, Guid chain, AuditLog.Head? kept)
    {
        private AuditLog.Head last = AuditLog.Head.None;

        public async Task<(string? Problem, long? Position)> ToAsync(AuditLog.Head head, CancellationToken cancel)
        {
            while (last.Size < head.Size)
            {
                var until = Math.Min(last.Size + PageSize, head.Size);
                var asked = new
                {
                    Chain = chain,
                    After = last.Size,
                    Take = PageSize,
                    Until = until,
                };
                var signed = await database.QueryAsync<AuditCheckpointRow>(AuditLog.Sql.Signed, asked, cancel);
                var notes = signed.ToDictionary(checkpoint => checkpoint.Size, checkpoint => checkpoint.Note);
                var page = await database.QueryAsync<AuditRow>(AuditLog.Sql.After, asked, cancel);
                if (page.Count == 0)
                {
                    return ("cut_off", last.Size + 1);
                }

                foreach (var row in page)
                {
                    if (last.Size == until)
                    {
                        // Appended since the head was read.
                        break;
                    }

                    if (ProblemOf(row, notes.GetValueOrDefault(row.Position)) is { } problem)
                    {
                        return (problem, problem == "missing" ? last.Size + 1 : row.Position);
                    }

                    last = new(row.Position, row.Hash);
                }
            }

            return last.Hash.AsSpan().SequenceEqual(head.Hash) ? (null, null) : ("edited", last.Size);
        }

        private string? ProblemOf(AuditRow row, string? note)
        {
            var head = new AuditLog.Head(row.Position, row.Hash);
            if (row.Position != last.Size + 1)
            {
                return "missing";
            }

            if (!IsAsWritten(row, last))
            {
                return "edited";
            }

            if (kept?.Size == head.Size && !kept.Hash.AsSpan().SequenceEqual(head.Hash))
            {
                return "other_head";
            }

            if (note is null)
            {
                return null;
            }

            var signed = signer.SignedHash(chain, head.Size, note);
            return signed is null ? "not_signed"
                : signed.AsSpan().SequenceEqual(head.Hash) ? null
                : "other_head";
        }
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
