using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Erasure;

/// <summary>That a person was forgotten, and when: all that is left to say of it.</summary>
internal sealed record ErasureView(CustomerId CustomerId, string Object, DateTimeOffset ErasedAt);

/// <summary>A row of erasures.</summary>
internal sealed record ErasureRow(CustomerId CustomerId, MerchantId MerchantId, DateTimeOffset ErasedAt)
{
    public const string Columns = """
        SELECT e.customer_id, e.merchant_id, e.erased_at
          FROM erasures e
        """;

    public ErasureView ToView() => new(CustomerId, "erasure", ErasedAt);
}

/// <summary>
/// Forgets people. A person's key is destroyed, and with it what was ever sealed under it here or in a backup without
/// the keys; what finds the person goes; the other services are told by customer.erased.v1. Ids, cards and points stay,
/// and the ledger has never known more: its books, receipts and proofs are what they were. All of it in one
/// transaction, so a crash leaves a person known or forgotten, and nothing between.
/// </summary>
internal sealed class Eraser(Caches caches, ILogger<Eraser> log)
{
    private const string Topic = "customer.erased.v1";

    internal sealed record Erased(CustomerId CustomerId, DateTimeOffset ErasedAt);

    /// <summary>
    /// Forgets the merchant's customer and all that were merged into it; who is forgotten stays so. Refuses with
    /// not_found and customer_on_hold.
    /// </summary>
    public async Task<ErasureRow> EraseAsync(DbSession db, MerchantId merchant, CustomerId id, string requestedBy)
    {
        var ids = await LockAsync(db, merchant, id);
        if (await FindAsync(db, merchant, id) is { } before)
        {
            return before;
        }

        if (ids.Count == 0)
        {
            throw CustomerStore.Absent();
        }

        foreach (var customer in ids)
        {
            await LegalHolds.RequireNoneAsync(db, customer);
        }

        var now = db.Now;
        await ForgetAsync(db, merchant, ids, requestedBy, now);
        return new(id, merchant, now);
    }

    /// <summary>That the merchant's customer was forgotten; null when it was not.</summary>
    public static Task<ErasureRow?> FindAsync(DbSession db, MerchantId merchant, CustomerId id) =>
        db.QuerySingleOrDefaultAsync<ErasureRow>(Sql.Find, new { CustomerId = id, MerchantId = merchant });

    /// <summary>
    /// Forgets again who was forgotten at a time that this database does not know of, holds or not; of an id that there
    /// is not, it is noted alone.
    /// </summary>
    public async Task ForgetAgainAsync(DbSession db, ErasureRow erasure, string requestedBy)
    {
        await db.ExecuteAsync(Sql.Lock, new { Ids = new[] { erasure.CustomerId } });
        await ForgetAsync(db, erasure.MerchantId, [erasure.CustomerId], requestedBy, erasure.ErasedAt);
    }

    /// <summary>Tells of an erasure once more: somebody does not know of it.</summary>
    public static Task TellAsync(DbSession db, ErasureRow erasure, long sequence) =>
        db.PublishAsync(
            Topic,
            "customer.erased",
            erasure.CustomerId.ToString(),
            sequence,
            erasure.MerchantId,
            new Erased(erasure.CustomerId, erasure.ErasedAt)
        );

    /// <summary>The customer that the id leads to and those that lead to it, in the order of their ids.</summary>
    private static async Task<IReadOnlyList<CustomerId>> LockAsync(DbSession db, MerchantId merchant, CustomerId id)
    {
        // Whoever waits here behind a merge looks again: more may lead there then.
        var args = new { CustomerId = id, MerchantId = merchant };
        while (true)
        {
            var ids = await db.QueryAsync<CustomerId>(Sql.Together, args);
            await db.ExecuteAsync(Sql.Lock, new { Ids = ids.ToArray() });
            if ((await db.QueryAsync<CustomerId>(Sql.Together, args)).SequenceEqual(ids))
            {
                return ids;
            }
        }
    }

    private async Task ForgetAsync(
        DbSession db,
        MerchantId merchant,
        IReadOnlyList<CustomerId> ids,
        string requestedBy,
        DateTimeOffset at
    )
    {
        await db.ExecuteAsync(Sql.ForgetMembers, new { Ids = ids.ToArray(), MerchantId = merchant });
        foreach (var id in ids)
        {
            var erasure = new ErasureRow(id, merchant, at);
            var version = await db.QuerySingleOrDefaultAsync<long>(
                Sql.Forget,
                new
                {
                    CustomerId = id,
                    MerchantId = merchant,
                    RequestedBy = requestedBy,
                    ErasedAt = at,
                }
            );
            await TellAsync(db, erasure, Math.Max(version, 1));
            if (await db.QuerySingleOrDefaultAsync<long?>(Sql.CloseWallet, new { CustomerId = id }) is { } closed)
            {
                caches.InvalidateWith(db, WalletReader.Balance, id.ToString(), closed);
            }

            log.CustomerErased(id, merchant);
        }
    }

    internal static class Sql
    {
        public const string CloseWallet = """
            UPDATE wallets
               SET version = version + 1
             WHERE customer_id = @CustomerId
            RETURNING version
            """;

        public const string Find = $"""
            {ErasureRow.Columns}
             WHERE e.customer_id = @CustomerId
               AND e.merchant_id = @MerchantId
            """;

        public const string Together = """
            SELECT c.customer_id
              FROM customers c
              JOIN customers f
                ON coalesce(f.merged_into, f.customer_id) IN (c.customer_id, c.merged_into)
             WHERE f.customer_id = @CustomerId
               AND f.merchant_id = @MerchantId
             ORDER BY c.customer_id
            """;

        public const string Lock = """
            SELECT 1
              FROM customers
             WHERE customer_id = ANY(@Ids)
             ORDER BY customer_id
               FOR UPDATE
            """;

        // Memberships of the person, and those of its address: the number goes on, and whoever has it is nobody.
        public const string ForgetMembers = """
            UPDATE members
               SET customer_id = NULL, email_lookup = NULL, phone_lookup = NULL, birth_month = NULL,
                   version = version + 1
             WHERE member_id IN (SELECT member_id
                                   FROM members
                                  WHERE member_id IN (SELECT m.member_id
                                                        FROM members m
                                                       WHERE m.customer_id = ANY(@Ids)
                                                       UNION ALL
                                                      SELECT m.member_id
                                                        FROM customers c
                                                        JOIN loyalty_programs p
                                                          ON p.merchant_id = @MerchantId
                                                        JOIN members m
                                                          ON m.program_id = p.program_id
                                                         AND m.email_lookup = c.email_lookup
                                                       WHERE c.customer_id = ANY(@Ids))
                                  ORDER BY member_id
                                    FOR NO KEY UPDATE)
            """;

        // The key first; what it sealed tells nothing without it and goes all the same.
        public const string Forget = """
            DELETE FROM subject_keys
             WHERE customer_id = @CustomerId;
            UPDATE customer_consents
               SET proof = NULL
             WHERE customer_id = @CustomerId;
            UPDATE legal_holds
               SET reason = NULL, lift_reason = NULL
             WHERE customer_id = @CustomerId;
            INSERT INTO erasures (customer_id, merchant_id, requested_by, erased_at)
            VALUES (@CustomerId, @MerchantId, @RequestedBy, @ErasedAt)
                ON CONFLICT (customer_id) DO NOTHING;
            UPDATE customers
               SET email_lookup = NULL, phone_lookup = NULL, personal_data = NULL, locale = 'en',
                   erased_at = @ErasedAt, version = version + 1
             WHERE customer_id = @CustomerId
            RETURNING version
            """;
    }
}
