using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// Answers that show a secret, encrypted beside the stored ones that lack it: whoever lost such an answer on its way
/// repeats the request and gets it whole. Only the very credential that asked first gets it, as a repeat is not judged
/// again, and only for <see cref="Life"/>. Without the key of fingerprints the table tells nothing.
/// </summary>
public sealed class SealedAnswers(FingerprintKeys keys, TimeProvider time)
{
    private const string Purpose = "sealed-answer";
    private const int IdBytes = 16;

    /// <summary>How long a repeat gets the secret; as long as a card's code can be had again.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(24);

    /// <summary>Stores the whole answer in the transaction of its effect, if it has a secret.</summary>
    internal Task StoreAsync(DbSession db, Answer answer, Asked asked) =>
        answer.HasSecret
            ? db.ExecuteAsync(
                Sql.Store,
                new
                {
                    MerchantId = asked.Caller,
                    asked.Key,
                    Sealed = SealedBox.Seal(keys, Purpose, answer.Body, asked.Bytes()),
                    CreatedAt = time.GetUtcNow(),
                }
            )
            : Task.CompletedTask;

    /// <summary>
    /// A stored answer as it was given, while its secret may be had; else as it is stored.
    /// </summary>
    internal async Task<Answer> OpenAsync(DbSession db, Answer stored, Asked asked) =>
        stored.Status == StatusCodes.Status201Created
        && await db.QuerySingleOrDefaultAsync<byte[]>(
            Sql.Find,
            new
            {
                MerchantId = asked.Caller,
                asked.Key,
                Since = time.GetUtcNow() - Life,
            }
        )
            is { } box
        && SealedBox.Open(keys, Purpose, box, asked.Bytes()) is { } whole
            ? stored with
            {
                Body = whole,
            }
            : stored;

    /// <summary>
    /// Whose answer it is: a seal that is moved to another row, or asked for by another, does not open.
    /// </summary>
    internal readonly record struct Asked(Guid Caller, string Key, Guid Credential)
    {
        public byte[] Bytes()
        {
            var key = Encoding.UTF8.GetBytes(Key);
            var bytes = new byte[(2 * IdBytes) + sizeof(int) + key.Length];
            Caller.TryWriteBytes(bytes, bigEndian: true, out _);
            Credential.TryWriteBytes(bytes.AsSpan(IdBytes), bigEndian: true, out _);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(2 * IdBytes), key.Length);
            key.CopyTo(bytes.AsSpan((2 * IdBytes) + sizeof(int)));
            return bytes;
        }
    }

    internal static class Sql
    {
        public const string Store = """
            INSERT INTO sealed_answers (merchant_id, key, sealed, created_at)
            VALUES (@MerchantId, @Key, @Sealed, @CreatedAt)
                ON CONFLICT (merchant_id, key) DO UPDATE
               SET sealed = EXCLUDED.sealed, created_at = EXCLUDED.created_at
            """;

        public const string Find = """
            SELECT sealed
              FROM sealed_answers
             WHERE merchant_id = @MerchantId
               AND key = @Key
               AND created_at > @Since
            """;

        public const string CleanUp = """
            DELETE FROM sealed_answers
             WHERE ctid = ANY (ARRAY(SELECT ctid
                                       FROM sealed_answers
                                      WHERE created_at <= @Before
                                      ORDER BY created_at
                                      LIMIT @Take
                                        FOR UPDATE SKIP LOCKED))
            """;
    }
}
