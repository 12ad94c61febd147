using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// The audit trail of what operators do to runs. Every verb leaves a row that is chained by hash to the one before, in
/// the transaction of the verb where it has one, before the engine is asked where it has none.
/// </summary>
internal sealed class OperatorActionLog(Database database, TimeProvider time, ILogger<OperatorActionLog> log)
{
    private const long ChainLock = 0x4C50_4155_4449;

    /// <summary>Records a verb in its own transaction.</summary>
    public async Task RecordAsync(
        OperatorIdentity who,
        string verb,
        RedemptionId? id,
        string reason,
        object detail,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        await RecordAsync(db, who, verb, id, reason, detail);
        await db.CommitAsync();
    }

    /// <summary>Records a verb in the transaction of its effect.</summary>
    public async Task RecordAsync(
        DbSession db,
        OperatorIdentity who,
        string verb,
        RedemptionId? id,
        string reason,
        object detail
    )
    {
        // One writer at a time: a chain has no branches. Operators are few.
        await db.ExecuteAsync(Sql.LockChain, new { ChainLock });
        var previous = await db.QuerySingleOrDefaultAsync<byte[]>(Sql.Last) ?? new byte[SHA256.HashSizeInBytes];
        var now = time.GetUtcNow();
        var json = JsonSerializer.Serialize(detail, StrictJson.Options);
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
