using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>A request's Idempotency-Key within its merchant, and what it was asked with.</summary>
internal sealed record RequestKey(MerchantId Merchant, string Key, Fingerprint Fingerprint)
{
    public static RequestKey Of<TRequest>(HttpContext http, TRequest request) =>
        new(
            http.GetMerchant().MerchantId,
            IdempotentRequests.Key(http),
            http.RequestServices.GetRequiredService<FingerprintKeys>().Of(http, request)
        );
}

/// <summary>What is known of a request that came before with the same key.</summary>
internal sealed record PriorRequest(Answer? Answer, Guid? IntentId, DateTimeOffset ClaimedAt);

/// <summary>
/// Idempotency for requests whose effect spans a call to the ledger, where no transaction may stay open: the key is
/// claimed first of all in the transaction that writes the intent, the answer is stored in the transaction that
/// finishes it. A repeat while the first request works is 409 request_in_progress; a repeat after a crash finishes the
/// intent and gets its answer. A refusal claims the key too before it is stored, so that none is ever stored over an
/// effect.
/// </summary>
internal sealed class Intents
{
    /// <summary>Keys that are looked for in one statement.</summary>
    private const int KeysPerRead = 64;

    private const int ReadsAtOnce = 2;

    private readonly Database database;
    private readonly TimeProvider time;
    private readonly SharedCalls<(MerchantId Merchant, string Key), Found?> reads;

    public Intents(Database database, TimeProvider time)
    {
        this.database = database;
        this.time = time;
        reads = new(KeysPerRead, ReadsAtOnce, WhenOneFails.EachGoesAlone, FindAllAsync);
    }

    /// <summary>
    /// The answer to a request: the stored one; else what comes of finishing the intent that an earlier try left, or a
    /// new one. A refusal to accept that stays what it is is stored. What was accepted is finished, even if the caller
    /// hangs up.
    /// </summary>
    /// <param name="key">The request's.</param>
    /// <param name="instance">The path that a refusal names.</param>
    /// <param name="find">An intent by the id it was claimed with.</param>
    /// <param name="accept">Writes the intent with the claim on the key.</param>
    /// <param name="finish">Drives the intent, however far it is, and gives its answer.</param>
    /// <param name="cancel">Of the caller, up to the intent.</param>
    public async Task<Answer> OnceAsync<TIntent>(
        RequestKey key,
        string instance,
        Func<Guid, Task<TIntent?>> find,
        Func<Task<TIntent>> accept,
        Func<TIntent, Task<Answer>> finish,
        CancellationToken cancel
    )
        where TIntent : class
    {
        var prior = await FindAsync(key, cancel);
        if (prior?.Answer is { } stored)
        {
            return stored;
        }

        TIntent intent;
        if (prior?.IntentId is { } unfinished)
        {
            intent = await find(unfinished) ?? throw InProgress();
        }
        else
        {
            try
            {
                intent = await accept();
            }
            catch (FaultException refusal)
            {
                return await RefuseAsync(key, refusal, instance, cancel);
            }
        }

        return await finish(intent);
    }

    /// <summary>
    /// Null for a new key. The answer, once there is one; else the intent to finish. Refuses a key that came with
    /// another request (idempotency_key_reused) and one whose request is still being worked on (request_in_progress).
    /// </summary>
    public async Task<PriorRequest?> FindAsync(RequestKey key, CancellationToken cancel)
    {
        var found = await reads.AskAsync((key.Merchant, key.Key), cancel);
        if (found is null)
        {
            return null;
        }

        if (found.Stored is { } stored)
        {
            return new(stored.Replay(key.Fingerprint), found.IntentId, default);
        }

        key.Fingerprint.RequireSame(found.Fingerprint);
        return found.ClaimedAt + GiftcardLimits.TakeOver > time.GetUtcNow()
            ? throw InProgress()
            : new(null, found.IntentId, found.ClaimedAt!.Value);
    }

    /// <summary>The stored answer to a key, if there is one.</summary>
    public async Task<Answer?> AnswerAsync(MerchantId merchant, string key, CancellationToken cancel) =>
        await reads.AskAsync((merchant, key), cancel) is { Stored: { } stored }
            ? new Answer(stored.Status, stored.Body, stored.Location, stored.Etag)
            : null;

    public static FaultException InProgress() =>
        new(CommonFaults.RequestInProgress, "A request with this Idempotency-Key is being worked on.");

    /// <summary>
    /// Claims the key for an intent in the intent's transaction. Refuses if another request was
    /// quicker.
    /// </summary>
    public async Task ClaimAsync(DbSession db, RequestKey key, Guid intentId)
    {
        if ((await ClaimAsync(db, [(key, intentId)], time.GetUtcNow())).Count == 0)
        {
            throw InProgress();
        }
    }

    /// <summary>As the other, for many: the intents that have got their key.</summary>
    public static async Task<IReadOnlyList<Guid>> ClaimAsync(
        DbSession db,
        IEnumerable<(RequestKey Key, Guid IntentId)> claims,
        DateTimeOffset at
    )
    {
        // In one order, so that two transactions that meet on the same keys do not wait for each other in a circle.
        var rows = claims.OrderBy(claim => claim.Key.Key, StringComparer.Ordinal).ToArray();
        var files = Array.ConvertAll(rows, r => KeyFile.Of(r.Key.Key, at));
        var strays = rows.Where((_, i) => !files[i].IsPlaced).Select(r => $"{r.Key.Merchant}:{r.Key.Key}").ToArray();
        if (strays.Length > 0)
        {
            await db.ExecuteAsync(Sql.LockKeys, new { Names = strays });
        }

        return await db.QueryAsync<Guid>(
            Sql.Claim,
            new
            {
                MerchantIds = Array.ConvertAll(rows, r => r.Key.Merchant),
                Keys = Array.ConvertAll(rows, r => r.Key.Key),
                Fingerprints = Array.ConvertAll(rows, r => r.Key.Fingerprint.Bytes),
                IntentIds = Array.ConvertAll(rows, r => r.IntentId),
                FiledAts = Array.ConvertAll(files, f => f.At.UtcDateTime),
                Froms = Array.ConvertAll(files, f => f.From.UtcDateTime),
                Untils = Array.ConvertAll(files, f => f.Until.UtcDateTime),
                ClaimedAt = at,
            }
        );
    }

    /// <summary>Stores the answer in the transaction that finishes the intent; the first one stays.</summary>
    public static Task StoreAsync(DbSession db, MerchantId merchant, string key, Answer answer) =>
        StoreAsync(db, [(merchant, key, answer)]);

    /// <summary>As the other, for many.</summary>
    public static Task StoreAsync(DbSession db, IEnumerable<(MerchantId Merchant, string Key, Answer Answer)> answers)
    {
        var rows = answers.ToArray();
        var now = db.Now;
        var files = Array.ConvertAll(rows, r => KeyFile.Of(r.Key, now));
        return rows.Length == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Store,
                new
                {
                    MerchantIds = Array.ConvertAll(rows, r => r.Merchant),
                    Keys = Array.ConvertAll(rows, r => r.Key),
                    Statuses = Array.ConvertAll(rows, r => r.Answer.Status),
                    Locations = Array.ConvertAll(rows, r => r.Answer.Location),
                    ETags = Array.ConvertAll(rows, r => r.Answer.ETag),
                    Bodies = Array.ConvertAll(rows, r => r.Answer.Body),
                    Froms = Array.ConvertAll(files, f => f.From.UtcDateTime),
                    Untils = Array.ConvertAll(files, f => f.Until.UtcDateTime),
                }
            );
    }

    /// <summary>
    /// What a request gets that was refused before anything was intended. An equal one may have been quicker, and what
    /// it did may be the very reason of the refusal: then it is that one's answer, or request_in_progress. Otherwise
    /// the refusal, stored if it stays what it is (<see cref="Fault.IsFinal"/>).
    /// </summary>
    public async Task<Answer> RefuseAsync(
        RequestKey key,
        FaultException refusal,
        string instance,
        CancellationToken cancel
    )
    {
        if (refusal.Fault.IsFinal)
        {
            var answer = Problems.Answer(refusal, instance);
            await using var db = await database.BeginAsync(cancel);
            if ((await ClaimAsync(db, [(key, Guid.CreateVersion7(time.GetUtcNow()))], time.GetUtcNow())).Count == 1)
            {
                await StoreAsync(db, key.Merchant, key.Key, answer);
                await db.CommitAsync();
                return answer;
            }
        }

        return await FindAsync(key, cancel) switch
        {
            { Answer: { } stored } => stored,
            { } => throw InProgress(),
            null => throw refusal,
        };
    }

    private async Task<IReadOnlyList<Found?>> FindAllAsync(IReadOnlyList<(MerchantId Merchant, string Key)> asks)
    {
        var now = time.GetUtcNow();
        var files = asks.Select(ask => KeyFile.Of(ask.Key, now)).ToArray();
        var found = (
            await database.QueryAsync<Found>(
                Sql.Find,
                new
                {
                    Asks = asks.Select((_, ask) => ask).ToArray(),
                    MerchantIds = asks.Select(ask => ask.Merchant.Value).ToArray(),
                    Keys = asks.Select(ask => ask.Key).ToArray(),
                    Froms = Array.ConvertAll(files, f => f.From.UtcDateTime),
                    Untils = Array.ConvertAll(files, f => f.Until.UtcDateTime),
                },
                CancellationToken.None
            )
        ).ToDictionary(row => row.Ask);
        return [.. asks.Select((_, ask) => found.GetValueOrDefault(ask))];
    }

    private sealed record Found(
        int Ask,
        byte[] Fingerprint,
        Guid? IntentId,
        DateTimeOffset? ClaimedAt,
        int? Status,
        string? Location,
        string? Etag,
        byte[]? Body
    )
    {
        public StoredAnswer? Stored => Status is { } status ? new(Fingerprint, status, Location, Etag, Body!) : null;
    }

    private static class Sql
    {
        // A key that a request without an intent used (a programme, say) has an answer and no claim; what the previous
        // release answered has both.
        public const string Find = """
            SELECT a.ask, coalesce(c.fingerprint, k.fingerprint) AS fingerprint, c.intent_id, c.claimed_at,
                   coalesce(k.status, c.status) AS status, coalesce(k.location, c.location) AS location,
                   coalesce(k.etag, c.etag) AS etag, coalesce(k.body, c.body) AS body
              FROM unnest(@Asks::int[], @MerchantIds, @Keys, @Froms, @Untils)
                AS a (ask, merchant_id, key, from_at, until_at)
              LEFT JOIN LATERAL (SELECT fingerprint, intent_id, claimed_at, status, location, etag, body
                                   FROM idempotency_claims
                                  WHERE merchant_id = a.merchant_id
                                    AND key = a.key
                                    AND filed_at BETWEEN a.from_at AND a.until_at
                                  LIMIT 1) c
                ON true
              LEFT JOIN LATERAL (SELECT fingerprint, status, location, etag, body
                                   FROM idempotency_keys
                                  WHERE merchant_id = a.merchant_id
                                    AND key = a.key
                                    AND created_at BETWEEN a.from_at AND a.until_at
                                  LIMIT 1) k
                ON true
             WHERE c.fingerprint IS NOT NULL
                OR k.fingerprint IS NOT NULL
            """;

        // For keys that tell no day (KeyFile): their claims may be filed under two, on either side of midnight.
        public const string LockKeys = """
            SELECT pg_advisory_xact_lock(hashtextextended(name, 0))
              FROM unnest(@Names) AS name
             ORDER BY hashtextextended(name, 0)
            """;

        // A subquery with a limit: one descent of a few small indexes a row, whatever the planner thinks of tables that
        // are empty when it plans.
        public const string Claim = """
            INSERT INTO idempotency_claims (merchant_id, key, fingerprint, intent_id, claimed_at, filed_at)
            SELECT merchant_id, key, fingerprint, intent_id, @ClaimedAt, filed_at
              FROM unnest(@MerchantIds, @Keys, @Fingerprints, @IntentIds, @FiledAts, @Froms, @Untils)
                AS c (merchant_id, key, fingerprint, intent_id, filed_at, from_at, until_at)
             WHERE (SELECT k.intent_id
                      FROM idempotency_claims k
                     WHERE k.merchant_id = c.merchant_id
                       AND k.key = c.key
                       AND k.filed_at BETWEEN c.from_at AND c.until_at
                     LIMIT 1) IS NULL
                ON CONFLICT DO NOTHING
            RETURNING intent_id
            """;

        public const string Store = """
            UPDATE idempotency_claims c
               SET status = a.status, location = a.location, etag = a.etag, body = a.body
              FROM unnest(@MerchantIds, @Keys, @Statuses, @Locations, @ETags, @Bodies, @Froms, @Untils)
                AS a (merchant_id, key, status, location, etag, body, from_at, until_at)
             WHERE c.merchant_id = a.merchant_id
               AND c.key = a.key
               AND c.filed_at BETWEEN a.from_at AND a.until_at
               AND c.status IS NULL
            """;
    }
}
