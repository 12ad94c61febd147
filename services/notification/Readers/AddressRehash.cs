using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// Hashes of addresses in use. While a key of before is listed, what was kept under it is moved to the newest when its
/// address is seen: nobody else can, as no address is stored.
/// </summary>
internal sealed class AddressRehash(AddressHashes hashes, Database database)
{
    public async Task<byte[]> OfAsync(MerchantId merchant, string channel, string address, CancellationToken cancel)
    {
        var newest = hashes.Of(merchant, channel, address);
        var before = hashes.BeforeOf(merchant, channel, address);
        if (before.Count > 0)
        {
            await using var db = await database.BeginAsync(cancel);
            foreach (var old in before)
            {
                var move = new
                {
                    MerchantId = merchant,
                    Channel = channel,
                    Old = old,
                    New = newest,
                };
                await db.ExecuteAsync(Sql.MoveWishes, move);
                await db.ExecuteAsync(Sql.MoveSuppression, move);
            }

            await db.CommitAsync();
        }

        return newest;
    }

    private static class Sql
    {
        // Who declined by an old link meanwhile has declined.
        public const string MoveWishes = """
            WITH old AS (
                DELETE FROM notification_recipients
                 WHERE merchant_id = @MerchantId
                   AND address_hash = @Old
                RETURNING merchant_id, customer_id, declined, sms_kinds, time_zone, quiet_from, quiet_until, version,
                          updated_at)
            INSERT INTO notification_recipients AS r (merchant_id, address_hash, customer_id, declined, sms_kinds,
                   time_zone, quiet_from, quiet_until, version, updated_at)
            SELECT merchant_id, @New, customer_id, declined, sms_kinds, time_zone, quiet_from, quiet_until, version,
                   updated_at
              FROM old
                ON CONFLICT (merchant_id, address_hash) DO UPDATE
               SET declined = ARRAY(SELECT DISTINCT kind
                                      FROM unnest(r.declined || EXCLUDED.declined) AS kind
                                     ORDER BY kind),
                   version = r.version + 1,
                   updated_at = GREATEST(r.updated_at, EXCLUDED.updated_at)
            """;

        public const string MoveSuppression = """
            WITH old AS (
                DELETE FROM notification_suppressions
                 WHERE merchant_id = @MerchantId
                   AND channel = @Channel
                   AND address_hash = @Old
                RETURNING suppression_id, merchant_id, channel, masked_address, customer_id, reason, smtp_status,
                          created_at)
            INSERT INTO notification_suppressions (suppression_id, merchant_id, channel, address_hash, masked_address,
                   customer_id, reason, smtp_status, created_at)
            SELECT suppression_id, merchant_id, channel, @New, masked_address, customer_id, reason, smtp_status,
                   created_at
              FROM old
                ON CONFLICT (merchant_id, channel, address_hash) DO NOTHING
            """;
    }
}
