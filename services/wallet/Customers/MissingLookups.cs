using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// Makes the lookups by telephone of customers that a release without them has added; they take the person's key, so no
/// migration can.
/// </summary>
internal sealed class MissingLookups(Database database, CustomerStore customers, PiiVersions versions)
{
    /// <summary>The number made; fewer than <paramref name="take"/> when none is left that nobody else is at.</summary>
    public async Task<int> MakeAsync(int take, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var rows = await db.QueryAsync<Row>(Sql.Take, new { Take = take });
        if (rows.Count == 0)
        {
            return 0;
        }

        var version = await versions.ForWritingAsync(db);
        foreach (var row in rows)
        {
            var customer = customers.Open(
                new(row.CustomerId, row.WrappedKey, row.PersonalData, "", Version: 0, CreatedAt: default)
            );
            await db.ExecuteAsync(
                Sql.Make,
                new { row.CustomerId, PhoneLookup = version.Phone(row.MerchantId, customer.Data.Phone)?.Newest }
            );
        }

        await db.CommitAsync();
        return rows.Count;
    }

    private sealed record Row(CustomerId CustomerId, MerchantId MerchantId, byte[] WrappedKey, byte[] PersonalData);

    private static class Sql
    {
        // Who is at a customer just now may be changing the very telephone.
        public const string Take = """
            SELECT c.customer_id, c.merchant_id, k.wrapped_key, c.personal_data
              FROM customers c
              JOIN subject_keys k ON k.customer_id = c.customer_id
             WHERE c.lookups_made < 2
             ORDER BY c.customer_id
             LIMIT @Take
               FOR UPDATE OF c SKIP LOCKED
            """;

        public const string Make = """
            UPDATE customers
               SET phone_lookup = @PhoneLookup, lookups_made = 2
             WHERE customer_id = @CustomerId
            """;
    }
}
