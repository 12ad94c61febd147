using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// Adds customers and reads them; the one place where personal data is turned into ciphertext and back.
/// </summary>
internal sealed class CustomerStore(
    Database database,
    PersonalDataVault vault,
    PiiVersions versions,
    TimeProvider time,
    ILogger<CustomerStore> log
)
{
    public const string English = "en";
    public const string French = "fr";

    /// <summary>
    /// The customer of this merchant with this address: added, with a wallet, unless it exists. What is known of one
    /// that exists is left as it is; an address of one that was merged leads to the customer that it is part of now.
    /// </summary>
    public async Task<(CustomerId Id, bool Added)> FindOrAddAsync(
        DbSession db,
        MerchantId merchant,
        PersonalData data,
        string? locale
    )
    {
        var now = time.GetUtcNow();
        var id = CustomerId.New(time);
        var version = await versions.ForWritingAsync(db);
        var lookup = version.Email(merchant, data.Email)!;
        await Lookups.BringAsync(db, merchant, lookup, phone: null);
        var (wrappedKey, sealedData) = PersonalDataVault.Protect(version, id, data);
        var added =
            await db.ExecuteAsync(
                Sql.Add,
                new
                {
                    CustomerId = id,
                    MerchantId = merchant,
                    EmailLookup = lookup.Newest,
                    PhoneLookup = version.Phone(merchant, data.Phone)?.Newest,
                    PersonalData = sealedData,
                    Locale = locale ?? English,
                    CreatedAt = now,
                }
            ) == 1;
        if (!added)
        {
            // The insert waited for whoever came first, so its row is visible to this statement.
            return (
                await db.QuerySingleAsync<CustomerId>(
                    Sql.Find,
                    new { MerchantId = merchant, EmailLookups = lookup.All }
                ),
                false
            );
        }

        await db.ExecuteAsync(
            Sql.AddKey,
            new
            {
                CustomerId = id,
                WrappedKey = wrappedKey,
                CreatedAt = now,
            }
        );
        await db.ExecuteAsync(
            Sql.AddWallet,
            new
            {
                WalletId = WalletId.New(time),
                MerchantId = merchant,
                CustomerId = id,
                CreatedAt = now,
            }
        );
        log.CustomerAdded(id, merchant);
        return (id, true);
    }

    /// <summary>
    /// The customer that the id leads to, with its data in clear; or null when the merchant has no such customer, or
    /// it is forgotten.
    /// </summary>
    public async Task<Customer?> FindAsync(MerchantId merchant, CustomerId id, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<CustomerRow>(
            Sql.Get,
            new { CustomerId = id, MerchantId = merchant },
            cancel
        )
            is { } row
            ? Open(row)
            : null;

    /// <summary>The customer that the id leads to; refuses with not_found.</summary>
    public static async Task<CustomerRow> GetAsync(DbSession db, MerchantId merchant, CustomerId id) =>
        await db.QuerySingleOrDefaultAsync<CustomerRow>(Sql.Get, new { CustomerId = id, MerchantId = merchant })
        ?? throw Absent();

    /// <summary>
    /// As the other, and nobody else changes, merges or forgets it before this transaction ends.
    /// </summary>
    public static async Task<CustomerRow> LockAsync(DbSession db, MerchantId merchant, CustomerId id)
    {
        // Whoever waits here behind a merge looks again: what the id led to before is not where it leads now.
        while (true)
        {
            var row = await GetAsync(db, merchant, id);
            await db.ExecuteAsync(Sql.Lock, new { row.CustomerId });
            var now = await GetAsync(db, merchant, id);
            if (now.CustomerId == row.CustomerId)
            {
                return now;
            }
        }
    }

    /// <summary>The row with its data in clear.</summary>
    public Customer Open(CustomerRow row) =>
        new(
            row.CustomerId,
            vault.Reveal(row.CustomerId, row.WrappedKey, row.PersonalData),
            row.Locale,
            row.Version,
            row.CreatedAt
        );

    public static FaultException Absent() => new(CommonFaults.NotFound, "There is no such customer.");

    /// <summary>customer_exists, which names the customer, if it is not gone again.</summary>
    public static FaultException Exists(CustomerId? id) =>
        id is null
            ? new(Faults.CustomerExists, "The address was taken by another request.")
            : new(Faults.CustomerExists, $"The address belongs to {id}.")
            {
                Extensions = new Dictionary<string, object?> { ["customer_id"] = id },
            };

    /// <summary>The shape of every body that names a person.</summary>
    public static void Check(string? email, string? name, string? phone, string? locale) =>
        Shape(email, name, phone, locale).ThrowIfAny();

    public static FieldChecks Shape(string? email, string? name, string? phone, string? locale) =>
        new FieldChecks()
            .Email(email, "/email")
            .Name(name)
            .Text(phone, "/phone", CustomerLimits.PhoneLength)
            .Require(locale is null or English or French, "/locale", "invalid");

    internal static class Sql
    {
        public const string Add = """
            INSERT INTO customers (customer_id, merchant_id, email_lookup, phone_lookup, lookups_made, personal_data,
                   locale, version, created_at)
            VALUES (@CustomerId, @MerchantId, @EmailLookup, @PhoneLookup, 2, @PersonalData, @Locale, 1, @CreatedAt)
                ON CONFLICT (merchant_id, email_lookup) DO NOTHING
            """;

        public const string AddKey = """
            INSERT INTO subject_keys (customer_id, wrapped_key, created_at)
            VALUES (@CustomerId, @WrappedKey, @CreatedAt)
            """;

        public const string AddWallet = """
            INSERT INTO wallets (wallet_id, merchant_id, customer_id, version, created_at)
            VALUES (@WalletId, @MerchantId, @CustomerId, 0, @CreatedAt)
            """;

        public const string Find = """
            SELECT coalesce(merged_into, customer_id) AS customer_id
              FROM customers
             WHERE merchant_id = @MerchantId
               AND email_lookup = ANY(@EmailLookups)
            """;

        public const string Get = $"""
            {CustomerRow.Columns}
             WHERE c.customer_id = (SELECT coalesce(f.merged_into, f.customer_id)
                                      FROM customers f
                                     WHERE f.customer_id = @CustomerId
                                       AND f.merchant_id = @MerchantId)
            """;

        public const string Lock = """
            SELECT 1
              FROM customers
             WHERE customer_id = @CustomerId
               FOR UPDATE
            """;
    }
}
