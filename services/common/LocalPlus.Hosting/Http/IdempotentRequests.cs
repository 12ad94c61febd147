using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LocalPlus.Hosting;

/// <summary>
/// A mutating request has its effect once per caller (merchant or operator) and Idempotency-Key (domain.md section 4).
/// The answer is stored in the transaction of the effect, business refusals too; the same key with the same request
/// gets the stored answer byte for byte, with another request 422 idempotency_key_reused, and while the first is under
/// way 409 request_in_progress.
/// </summary>
public sealed class IdempotentRequests(
    Database database,
    FingerprintKeys fingerprints,
    SealedAnswers secrets,
    TimeProvider time
)
{
    public const string Header = "Idempotency-Key";
    public const int MaxKeyLength = 255;

    /// <summary>
    /// Runs the handler in a transaction with the key's row, or replays. A <see cref="FaultException"/> rolls the
    /// handler's writes back and is itself stored as the answer where it is final (<see cref="Fault.IsFinal"/>).
    /// </summary>
    public async Task<IResult> ExecuteAsync<TRequest>(
        HttpContext http,
        TRequest request,
        Func<DbSession, Task<Answer>> handler,
        CancellationToken cancel
    )
    {
        var asked = Asked(http);
        var fingerprint = fingerprints.Of(http, request);
        await using var db = await database.BeginAsync(cancel);
        if (!await db.QuerySingleAsync<bool>(Sql.TryLock, new { Name = $"{asked.Caller}:{asked.Key}" }))
        {
            throw new FaultException(
                CommonFaults.RequestInProgress,
                "A request with this Idempotency-Key is being worked on."
            );
        }

        var file = KeyFile.Of(asked.Key, time.GetUtcNow());
        if (await FindAsync(db, asked, file, fingerprint) is { } stored)
        {
            return stored;
        }

        var answer = await RunAsync(http, db, handler);
        AuditNote.Current?.Answered(answer);
        var row = new
        {
            MerchantId = asked.Caller,
            asked.Key,
            Fingerprint = fingerprint.Bytes,
            answer.Status,
            answer.Location,
            answer.ETag,
            Body = answer.StoredBody,
            CreatedAt = file.At,
        };
        await db.ExecuteAsync(Sql.Store, row);
        await secrets.StoreAsync(db, answer, asked);
        await db.CommitAsync();
        return answer;
    }

    /// <summary>
    /// As the other, for what another service must be asked first, which no transaction may wait for: a repeat gets
    /// its stored answer without that service.
    /// </summary>
    /// <param name="http">The request's.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="ask">Refuses by throwing; what it refuses is not stored, so a repeat asks again.</param>
    /// <param name="handler">The effect.</param>
    /// <param name="cancel">Of the caller.</param>
    public async Task<IResult> ExecuteAsync<TRequest>(
        HttpContext http,
        TRequest request,
        Func<Task> ask,
        Func<DbSession, Task<Answer>> handler,
        CancellationToken cancel
    )
    {
        var asked = Asked(http);
        await using (var db = await database.BeginAsync(cancel))
        {
            var file = KeyFile.Of(asked.Key, time.GetUtcNow());
            if (await FindAsync(db, asked, file, fingerprints.Of(http, request)) is { } stored)
            {
                return stored;
            }
        }

        await ask();
        return await ExecuteAsync(http, request, handler, cancel);
    }

    /// <summary>
    /// The Idempotency-Key header, bare or as a quoted string; refused when missing, empty or too long.
    /// </summary>
    public static string Key(HttpContext http)
    {
        EndpointContract.RequireDeclared<RequiredIdempotencyKey>(http);
        var values = http.Request.Headers[Header];
        if (values.Count == 0)
        {
            throw new FaultException(
                CommonFaults.IdempotencyKeyMissing,
                $"Send an {Header} header of your own making."
            );
        }

        var key = values.ToString();
        key = key.Length >= 2 && key[0] == '"' && key[^1] == '"' ? key[1..^1] : key;
        return values.Count == 1 && key.Length is > 0 and <= MaxKeyLength && key.All(c => c is >= ' ' and <= '~')
            ? key
            : throw new FaultException(
                CommonFaults.InvalidRequest,
                $"{Header} is one to {MaxKeyLength} printable ASCII characters.",
                new FieldError(Header, "invalid")
            );
    }

    /// <summary>What was asked, for a service that keeps the answers itself.</summary>
    public static Fingerprint FingerprintOf<TRequest>(HttpContext http, TRequest request) =>
        http.RequestServices.GetRequiredService<FingerprintKeys>().Of(http, request);

    /// <summary>Whose key it is: the merchant's id, or for an operator an id made from its subject.</summary>
    internal static Guid Caller(HttpContext http) =>
        http.Items[typeof(MerchantIdentity)] is MerchantIdentity merchant
            ? merchant.MerchantId.Value
            : new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(http.GetOperator().Subject)).AsSpan(0, 16));

    private static SealedAnswers.Asked Asked(HttpContext http) => new(Caller(http), Key(http), Credential(http));

    /// <summary>The answer that is stored under the key, whole where its secret may be had.</summary>
    private async Task<Answer?> FindAsync(
        DbSession db,
        SealedAnswers.Asked asked,
        KeyFile file,
        Fingerprint fingerprint
    )
    {
        var stored = await db.QuerySingleOrDefaultAsync<StoredAnswer>(
            Sql.Find,
            new
            {
                MerchantId = asked.Caller,
                asked.Key,
                file.From,
                file.Until,
            }
        );
        return stored is null ? null : await secrets.OpenAsync(db, stored.Replay(fingerprint), asked);
    }

    /// <summary>With what exactly the caller proved who it is; of an operator that is the same.</summary>
    private static Guid Credential(HttpContext http) =>
        http.Items[typeof(MerchantIdentity)] is MerchantIdentity merchant ? merchant.KeyId.Value : Caller(http);

    private static async Task<Answer> RunAsync(HttpContext http, DbSession db, Func<DbSession, Task<Answer>> handler)
    {
        const string savepoint = "handler";
        await db.Transaction.SaveAsync(savepoint, db.Cancel);
        try
        {
            return await handler(db);
        }
        catch (FaultException fault) when (fault.Fault.IsFinal)
        {
            await db.Transaction.RollbackAsync(savepoint, db.Cancel);
            return new Answer(fault.Fault.Status, Problems.Serialize(http, fault));
        }
    }

    private static class Sql
    {
        // Taken before anything else is looked at, so nobody finds the effect of a request whose answer is not stored
        // yet. Released with the transaction, so a crash leaves nothing behind that could block a retry.
        public const string TryLock = "SELECT pg_try_advisory_xact_lock(hashtextextended(@Name, 0))";

        public const string Find = """
            SELECT fingerprint, status, location, etag, body
              FROM idempotency_keys
             WHERE merchant_id = @MerchantId
               AND key = @Key
               AND created_at BETWEEN @From AND @Until
            """;

        public const string Store = """
            INSERT INTO idempotency_keys (merchant_id, key, fingerprint, status, location, etag, body, created_at)
            VALUES (@MerchantId, @Key, @Fingerprint, @Status, @Location, @ETag, @Body, @CreatedAt)
            """;
    }
}
