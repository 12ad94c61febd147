using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

namespace LocalPlus.Wallet.Keys;

/// <summary>
/// Brings what is stored under older versions of pii_key to the newest, some at a time: each lot is a transaction, so
/// whatever dies leaves rows of one version or of the other. Nobody is waited for: what somebody is at comes later.
/// Replicas share the work.
/// </summary>
internal sealed class PiiRewriting(Database database, PersonalDataVault vault)
{
    private const int Take = 200;

    /// <summary>Of each of the six kinds; a figure need not cost more.</summary>
    private const int MostCounted = 100_000;

    /// <summary>The number brought; 0 when none is left that nobody else is at.</summary>
    public async Task<int> BringAsync(PiiVersion version, CancellationToken cancel) =>
        await BringPersonsAsync(version, cancel)
        + await BringAsync(version, Sql.MemberEmails, Sql.BringMemberEmails, cancel)
        + await BringAsync(version, Sql.MemberPhones, Sql.BringMemberPhones, cancel)
        + await BringAsync(version, Sql.CustomerPhones, Sql.BringCustomerPhones, cancel)
        + await BringAsync(version, Sql.Vouchers, Sql.BringVouchers, cancel)
        + await RewrapAsync(version, cancel);

    /// <summary>How many are of an older version.</summary>
    public async Task<long> CountAsync(PiiVersion version, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<long>(
            Sql.Count,
            new { Version = (int)version.Number, MostCounted },
            cancel
        );

    private async Task<int> BringAsync(PiiVersion version, string take, string bring, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var rows = await db.QueryAsync<Found>(take, new { Version = (int)version.Number, Take });
        await WriteAsync(db, bring, version, rows);
        await db.CommitAsync();
        return rows.Count;
    }

    /// <summary>Customers by their addresses, each with the members that have the same address.</summary>
    private async Task<int> BringPersonsAsync(PiiVersion version, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var customers = await db.QueryAsync<FoundCustomer>(
            Sql.CustomerEmails,
            new { Version = (int)version.Number, Take }
        );
        if (customers.Count == 0)
        {
            return 0;
        }

        var same = new
        {
            MerchantIds = customers.Select(c => c.MerchantId).ToArray(),
            Lookups = customers.Select(c => c.Lookup).ToArray(),
        };
        var locked = (await db.QueryAsync<Guid>(Sql.LockMembersOf, same)).ToHashSet();
        // As they are now. Whoever's member somebody else is at, comes later with all of them.
        var members = await db.QueryAsync<FoundMember>(Sql.MembersOf, same);
        var held = members
            .Where(m => !locked.Contains(m.Id))
            .Select(m => (m.MerchantId, Convert.ToHexString(m.Lookup)))
            .ToHashSet();
        bool IsFree(MerchantId merchant, byte[] lookup) => !held.Contains((merchant, Convert.ToHexString(lookup)));

        Found[] free = [.. customers.Where(c => IsFree(c.MerchantId, c.Lookup)).Select(c => new Found(c.Id, c.Lookup))];
        await WriteAsync(db, Sql.BringCustomerEmails, version, free);
        await WriteAsync(
            db,
            Sql.BringMemberEmails,
            version,
            [.. members.Where(m => IsFree(m.MerchantId, m.Lookup)).Select(m => new Found(m.Id, m.Lookup))]
        );
        await db.CommitAsync();
        return free.Length;
    }

    private async Task<int> RewrapAsync(PiiVersion version, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var rows = await db.QueryAsync<FoundKey>(Sql.Keys, new { Version = (int)version.Number, Take });
        // Who was forgotten meanwhile has no row, and gets none.
        await db.ExecuteAsync(
            Sql.Rewrap,
            new
            {
                Ids = rows.Select(row => row.CustomerId).ToArray(),
                WrappedKeys = rows.Select(row => vault.Rewrap(version, row.CustomerId, row.WrappedKey)).ToArray(),
            }
        );
        await db.CommitAsync();
        return rows.Count;
    }

    private static Task<int> WriteAsync(DbSession db, string bring, PiiVersion version, IReadOnlyList<Found> rows) =>
        db.ExecuteAsync(
            bring,
            new
            {
                Ids = rows.Select(row => row.Id).ToArray(),
                Lookups = rows.Select(row => version.Advance(row.Lookup)).ToArray(),
            }
        );

    private sealed record Found(Guid Id, byte[] Lookup);

    private sealed record FoundCustomer(Guid Id, MerchantId MerchantId, byte[] Lookup);

    private sealed record FoundMember(Guid Id, MerchantId MerchantId, byte[] Lookup);

    private sealed record FoundKey(CustomerId CustomerId, byte[] WrappedKey);

    private static class Sql
    {
        // What says no version is of the first: then the byte after it is 1.
        private const string IsOlder = ", 33) || '\\x01'::bytea, 0) < @Version";

        public const string CustomerEmails = $"""
            SELECT c.customer_id AS id, c.merchant_id, c.email_lookup AS lookup
              FROM customers c
             WHERE get_byte(substr(c.email_lookup{IsOlder}
             LIMIT @Take
               FOR UPDATE SKIP LOCKED
            """;

        public const string LockMembersOf = """
            SELECT m.member_id
              FROM unnest(@MerchantIds::uuid[], @Lookups::bytea[]) AS o (merchant_id, lookup)
              JOIN loyalty_programs p
                ON p.merchant_id = o.merchant_id
              JOIN members m
                ON m.program_id = p.program_id
               AND m.email_lookup = o.lookup
               FOR UPDATE OF m SKIP LOCKED
            """;

        public const string MembersOf = """
            SELECT m.member_id AS id, o.merchant_id, o.lookup
              FROM unnest(@MerchantIds::uuid[], @Lookups::bytea[]) AS o (merchant_id, lookup)
              JOIN loyalty_programs p
                ON p.merchant_id = o.merchant_id
              JOIN members m
                ON m.program_id = p.program_id
               AND m.email_lookup = o.lookup
            """;

        public const string BringCustomerEmails = """
            UPDATE customers c
               SET email_lookup = n.lookup
              FROM unnest(@Ids::uuid[], @Lookups::bytea[]) AS n (id, lookup)
             WHERE c.customer_id = n.id
            """;

        // Who is no customer of the merchant.
        public const string MemberEmails = $"""
            SELECT m.member_id AS id, m.email_lookup AS lookup
              FROM members m
             WHERE get_byte(substr(m.email_lookup{IsOlder}
               AND NOT EXISTS (SELECT 1
                                 FROM customers c
                                WHERE c.merchant_id = m.merchant_id
                                  AND c.email_lookup = m.email_lookup)
             LIMIT @Take
               FOR UPDATE OF m SKIP LOCKED
            """;

        public const string BringMemberEmails = """
            UPDATE members m
               SET email_lookup = n.lookup
              FROM unnest(@Ids::uuid[], @Lookups::bytea[]) AS n (id, lookup)
             WHERE m.member_id = n.id
            """;

        public const string MemberPhones = $"""
            SELECT m.member_id AS id, m.phone_lookup AS lookup
              FROM members m
             WHERE get_byte(substr(m.phone_lookup{IsOlder}
             LIMIT @Take
               FOR UPDATE SKIP LOCKED
            """;

        public const string BringMemberPhones = """
            UPDATE members m
               SET phone_lookup = n.lookup
              FROM unnest(@Ids::uuid[], @Lookups::bytea[]) AS n (id, lookup)
             WHERE m.member_id = n.id
            """;

        public const string CustomerPhones = $"""
            SELECT c.customer_id AS id, c.phone_lookup AS lookup
              FROM customers c
             WHERE get_byte(substr(c.phone_lookup{IsOlder}
             LIMIT @Take
               FOR NO KEY UPDATE SKIP LOCKED
            """;

        public const string BringCustomerPhones = """
            UPDATE customers c
               SET phone_lookup = n.lookup
              FROM unnest(@Ids::uuid[], @Lookups::bytea[]) AS n (id, lookup)
             WHERE c.customer_id = n.id
            """;

        public const string Vouchers = $"""
            SELECT v.voucher_id AS id, v.code_lookup AS lookup
              FROM loyalty_vouchers v
             WHERE get_byte(substr(v.code_lookup{IsOlder}
             LIMIT @Take
               FOR UPDATE SKIP LOCKED
            """;

        public const string BringVouchers = """
            UPDATE loyalty_vouchers v
               SET code_lookup = n.lookup
              FROM unnest(@Ids::uuid[], @Lookups::bytea[]) AS n (id, lookup)
             WHERE v.voucher_id = n.id
            """;

        public const string Keys = """
            SELECT k.customer_id, k.wrapped_key
              FROM subject_keys k
             WHERE get_byte(substr(k.wrapped_key, 61) || '\x01'::bytea, 0) < @Version
             LIMIT @Take
               FOR NO KEY UPDATE SKIP LOCKED
            """;

        public const string Rewrap = """
            UPDATE subject_keys k
               SET wrapped_key = n.wrapped_key
              FROM unnest(@Ids::uuid[], @WrappedKeys::bytea[]) AS n (customer_id, wrapped_key)
             WHERE k.customer_id = n.customer_id
            """;

        public const string Count = $"""
            SELECT (SELECT count(*)
                      FROM (SELECT 1 FROM customers WHERE get_byte(substr(email_lookup{IsOlder} LIMIT @MostCounted) a)
                   + (SELECT count(*)
                        FROM (SELECT 1 FROM customers WHERE get_byte(substr(phone_lookup{IsOlder} LIMIT @MostCounted) b)
                   + (SELECT count(*)
                        FROM (SELECT 1 FROM members WHERE get_byte(substr(email_lookup{IsOlder} LIMIT @MostCounted) c)
                   + (SELECT count(*)
                        FROM (SELECT 1 FROM members WHERE get_byte(substr(phone_lookup{IsOlder} LIMIT @MostCounted) d)
                   + (SELECT count(*)
                        FROM (SELECT 1 FROM loyalty_vouchers WHERE get_byte(substr(code_lookup{IsOlder}
                               LIMIT @MostCounted) e)
                   + (SELECT count(*)
                        FROM (SELECT 1 FROM subject_keys
                               WHERE get_byte(substr(wrapped_key, 61) || '\x01'::bytea, 0) < @Version
                               LIMIT @MostCounted) f)
            """;
    }
}
