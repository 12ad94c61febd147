using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// What came of one of many requests that share a transaction: an answer, with what its caller has to know beside it,
/// or a refusal, of which nothing may be written.
/// </summary>
public sealed record Effect<TMore>(Answer? Answer, TMore? More, FaultException? Refusal)
{
    public static Effect<TMore> Of(Answer answer, TMore more) => new(answer, more, null);

    public static Effect<TMore> Of(FaultException refusal) => new(null, default, refusal);
}

/// <summary>
/// As <see cref="IdempotentRequests"/>, for one operation's requests that come at the same time: those of a
/// <see cref="GroupCommit{TItem,TResult}"/> share the transaction in which they are looked for, have their effects and
/// leave their answers.
/// </summary>
public sealed class IdempotentGroup<TItem, TMore>
{
    private readonly FingerprintKeys fingerprints;
    private readonly TimeProvider time;
    private readonly Func<DbSession, IReadOnlyList<TItem>, Task<IReadOnlyList<Effect<TMore>>>> carryOut;
    private readonly GroupCommit<Asked, Effect<TMore>> commit;

    /// <param name="carryOut">
    /// Carries out what is new, in this order, and gives each its effect; statements for sets, not loops.
    /// </param>
    public IdempotentGroup(
        Database database,
        FingerprintKeys fingerprints,
        TimeProvider time,
        Func<DbSession, IReadOnlyList<TItem>, Task<IReadOnlyList<Effect<TMore>>>> carryOut
    )
    {
        (this.fingerprints, this.time, this.carryOut) = (fingerprints, time, carryOut);
        commit = new(database, CarryOutAsync);
    }

    /// <summary>
    /// The answer, once it is durable, and what the operation says beside it: nothing where the answer is a stored one.
    /// A refusal that stays what it is (<see cref="Fault.IsFinal"/>) is an answer, any other is thrown.
    /// </summary>
    public async Task<(Answer Answer, TMore? More)> ExecuteAsync<TRequest>(
        HttpContext http,
        TRequest request,
        TItem item,
        CancellationToken cancel
    )
    {
        var asked = new Asked(
            item,
            IdempotentRequests.Caller(http),
            IdempotentRequests.Key(http),
            fingerprints.Of(http, request),
            http.Request.Path,
            Problems.RequestId(http)
        );
        var effect = await commit.WriteAsync(asked, cancel);
        return effect.Refusal is { } refusal ? throw refusal : (effect.Answer!, effect.More);
    }

    private async Task<IReadOnlyList<Effect<TMore>>> CarryOutAsync(DbSession db, IReadOnlyList<Asked> asked)
    {
        var now = time.GetUtcNow();
        var files = asked.Select(ask => KeyFile.Of(ask.Key, now)).ToArray();
        var effects = new Effect<TMore>?[asked.Count];
        var locked = (await db.QueryAsync<int>(Sql.TryLock, Lookup())).ToHashSet();
        var names = new HashSet<(Guid, string)>();
        for (var i = 0; i < asked.Count; i++)
        {
            // Of two with one key in one group, the second came while the first was under way.
            if (!locked.Contains(i) || !names.Add((asked[i].Caller, asked[i].Key)))
            {
                effects[i] = Effect<TMore>.Of(
                    new FaultException(
                        CommonFaults.RequestInProgress,
                        "A request with this Idempotency-Key is being worked on."
                    )
                );
            }
        }

        foreach (var row in await db.QueryAsync<Found>(Sql.Find, Lookup()))
        {
            effects[row.Ask] ??= Replay(row, asked[row.Ask].Fingerprint);
        }

        var fresh = Enumerable.Range(0, asked.Count).Where(i => effects[i] is null).ToArray();
        if (fresh.Length > 0)
        {
            var made = await carryOut(db, Array.ConvertAll(fresh, i => asked[i].Item));
            var stored = new List<(int Ask, Answer Answer)>(fresh.Length);
            foreach (var (i, effect) in fresh.Zip(made))
            {
                effects[i] = effect.Refusal is { Fault.IsFinal: true } refusal
                    ? new(asked[i].Refuse(refusal), default, null)
                    : effect;
                if (effects[i]!.Answer is { } answer)
                {
                    stored.Add((i, answer));
                }
            }

            await db.ExecuteAsync(
                Sql.Store,
                new
                {
                    MerchantIds = stored.Select(row => asked[row.Ask].Caller).ToArray(),
                    Keys = stored.Select(row => asked[row.Ask].Key).ToArray(),
                    Fingerprints = stored.Select(row => asked[row.Ask].Fingerprint.Bytes).ToArray(),
                    Statuses = stored.Select(row => row.Answer.Status).ToArray(),
                    Locations = stored.Select(row => row.Answer.Location).ToArray(),
                    ETags = stored.Select(row => row.Answer.ETag).ToArray(),
                    Bodies = stored.Select(row => row.Answer.StoredBody).ToArray(),
                    CreatedAts = stored.Select(row => files[row.Ask].At.UtcDateTime).ToArray(),
                }
            );
        }

        return effects!;

        object Lookup() =>
            new
            {
                Asks = asked.Select((_, i) => i).ToArray(),
                MerchantIds = asked.Select(ask => ask.Caller).ToArray(),
                Keys = asked.Select(ask => ask.Key).ToArray(),
                Names = asked.Select(ask => $"{ask.Caller}:{ask.Key}").ToArray(),
                Froms = Array.ConvertAll(files, file => file.From.UtcDateTime),
                Untils = Array.ConvertAll(files, file => file.Until.UtcDateTime),
            };
    }

    private static Effect<TMore> Replay(Found found, Fingerprint asked)
    {
        try
        {
            return new(
                new StoredAnswer(found.Fingerprint, found.Status, found.Location, found.Etag, found.Body).Replay(asked),
                default,
                null
            );
        }
        catch (FaultException reused)
        {
            return Effect<TMore>.Of(reused);
        }
    }

    private sealed record Found(int Ask, byte[] Fingerprint, int Status, string? Location, string? Etag, byte[] Body);

    /// <param name="Path">As a refusal names it: the request may be gone when it is written.</param>
    private sealed record Asked(
        TItem Item,
        Guid Caller,
        string Key,
        Fingerprint Fingerprint,
        string Path,
        string RequestId
    )
    {
        public Answer Refuse(FaultException refusal) =>
            new(refusal.Fault.Status, Problems.Serialize(refusal, Path, RequestId));
    }

    private static class Sql
    {
        // As IdempotentRequests takes it: nobody waits for a key.
        public const string TryLock = """
            SELECT ask
              FROM unnest(@Asks, @Names) AS a (ask, name)
             WHERE pg_try_advisory_xact_lock(hashtextextended(name, 0))
            """;

        public const string Find = """
            SELECT a.ask, k.fingerprint, k.status, k.location, k.etag, k.body
              FROM unnest(@Asks, @MerchantIds, @Keys, @Froms, @Untils) AS a (ask, merchant_id, key, from_at, until_at)
             CROSS JOIN LATERAL (SELECT fingerprint, status, location, etag, body
                                   FROM idempotency_keys
                                  WHERE merchant_id = a.merchant_id
                                    AND key = a.key
                                    AND created_at BETWEEN a.from_at AND a.until_at
                                  LIMIT 1) k
            """;

        public const string Store = """
            INSERT INTO idempotency_keys (merchant_id, key, fingerprint, status, location, etag, body, created_at)
            SELECT *
              FROM unnest(@MerchantIds, @Keys, @Fingerprints, @Statuses, @Locations, @ETags, @Bodies, @CreatedAts)
            """;
    }
}
