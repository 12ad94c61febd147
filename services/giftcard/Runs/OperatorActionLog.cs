using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Giftcard.RunBulks;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// The audit trail of what operators do to runs. Every verb leaves a row that is chained by hash to the one before, in
/// the transaction of the verb where it has one, before the engine is asked where it has none.
/// </summary>
internal sealed class OperatorActionLog(Database database, TimeProvider time, ILogger<OperatorActionLog> log)
{
    /// <summary>The index by which a bulk does to a run what it does at most once.</summary>
    public const string OnceByBulk = "ix_operator_actions_bulk";

    private const long ChainLock = 0x4C50_4155_4449;

    /// <summary>Records a verb in its own transaction.</summary>
    public async Task RecordAsync(
        OperatorIdentity who,
        string verb,
        RedemptionId? id,
        string reason,
        object detail,
        CancellationToken cancel,
        RunBulkId? bulk = null
    )
    {
        await using var db = await database.BeginAsync(cancel);
        await RecordAsync(db, who, verb, id, reason, detail, bulk);
        await db.CommitAsync();
    }

    /// <summary>Whether a bulk has done to a run what it does.</summary>
    public async Task<bool> HasRecordedAsync(RunBulkId bulk, RedemptionId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<bool>(
            Sql.HasRecorded,
            new { RedemptionId = id, Bulk = bulk.ToString() },
            cancel
        );

    /// <summary>Records a verb in the transaction of its effect.</summary>
    /// <param name="bulk">
    /// What it is part of, which is written into the detail: a bulk does a run once, whoever tries it twice breaks
    /// <see cref="OnceByBulk"/>.
    /// </param>
    public async Task RecordAsync(
        DbSession db,
        OperatorIdentity who,
        string verb,
        RedemptionId? id,
        string reason,
        object detail,
        RunBulkId? bulk = null
    )
    {
        // One writer at a time: a chain has no branches. Operators are few.
        await db.ExecuteAsync(Sql.LockChain, new { ChainLock });
        var previous = await db.QuerySingleOrDefaultAsync<byte[]>(Sql.Last) ?? new byte[SHA256.HashSizeInBytes];
        var now = time.GetUtcNow();
        var json = Text(detail, bulk);
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                RedemptionId = id?.Value,
                Verb = verb,
                who.Subject,
                who.Role,
                Reason = reason,
                Detail = json,
                OccurredAt = now,
                PreviousHash = previous,
                Hash = Hash(previous, verb, who, id, reason, json, now),
            }
        );
        log.OperatorActed(verb, id?.ToString() ?? "all");
    }

    private static string Text(object detail, RunBulkId? bulk)
    {
        var node = JsonSerializer.SerializeToNode(detail, StrictJson.Options)!.AsObject();
        if (bulk is { } part)
        {
            node["bulk"] = part.ToString();
        }

        return node.ToJsonString(StrictJson.Options);
    }

    /// <summary>SHA-256 over the previous hash and the row's content, a line each.</summary>
    internal static byte[] Hash(
        byte[] previous,
        string verb,
        OperatorIdentity who,
        RedemptionId? id,
        string reason,
        string detail,
        DateTimeOffset at
    ) =>
        SHA256.HashData(
            (byte[])
                [
                    .. previous,
                    .. Encoding.UTF8.GetBytes(
                        string.Join('\n', verb, who.Subject, who.Role, id?.ToString(), reason, detail, at.UtcTicks / 10)
                    ),
                ]
        );

    private static class Sql
    {
        public const string LockChain = "SELECT pg_advisory_xact_lock(@ChainLock)";

        public const string HasRecorded = """
            SELECT EXISTS (SELECT 1
                             FROM operator_actions
                            WHERE redemption_id = @RedemptionId
                              AND detail ->> 'bulk' = @Bulk)
            """;

        public const string Last = """
            SELECT hash
              FROM operator_actions
             ORDER BY action_id DESC
             LIMIT 1
            """;

        public const string Insert = """
            INSERT INTO operator_actions (redemption_id, verb, subject, role, reason, detail, occurred_at,
                   previous_hash, hash)
            VALUES (@RedemptionId, @Verb, @Subject, @Role, @Reason, @Detail::json, @OccurredAt, @PreviousHash, @Hash)
            """;
    }
}
