using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// Adds customers and reads them; the one place where personal data is turned into ciphertext and back.
/// </summary>
internal sealed class CustomerStore(
    Database database,
    PersonalDataVault vault,
    TimeProvider time,
    ILogger<CustomerStore> log
)
{
    public const string English = "en";
    public const string French = "fr";

    /// <summary>
    /// The customer of this merchant with this address: added, with a wallet, unless it exists. What is known of one
    /// that exists is left as it is.
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
        var lookup = vault.EmailLookup(merchant, data.Email);
        var (wrappedKey, sealedData) = vault.Protect(id, data);
        var added =
            await db.ExecuteAsync(
                Sql.Add,
                new
                {
                    CustomerId = id,
                    MerchantId = merchant,
                    EmailLookup = lookup,
                    PersonalData = sealedData,
                    Locale = locale ?? English,
                    CreatedAt = now,
                }
            ) == 1;
        if (!added)
        {
            // The insert waited for whoever came first, so its row is visible to this statement.
            return (
                await db.QuerySingleAsync<CustomerId>(Sql.Find, new { MerchantId = merchant, EmailLookup = lookup }),
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

    /// <summary>The customer with its data in clear, or null when the merchant has no such customer.</summary>
    public async Task<Customer?> FindAsync(MerchantId merchant, CustomerId id, CancellationToken cancel)
    {
        var row = await database.QuerySingleOrDefaultAsync<Row>(
            Sql.Get,
            new { CustomerId = id, MerchantId = merchant },
            cancel
        );
        return row is null
            ? null
            : new Customer(
                id,
                vault.Reveal(id, row.WrappedKey, row.PersonalData),
                row.Locale,
                row.Version,
                row.CreatedAt
            );
    }

    /// <summary>The shape of every body that names a person.</summary>
    public static void Check(string email, string? name, string? phone, string? locale) =>
        new FieldChecks()
            .Email(email, "/email")
            .Name(name)
            .Text(phone, "/phone", maxLength: 32)
            .Require(locale is null or English or French, "/locale", "invalid")
            .ThrowIfAny();

    private sealed record Row(
        byte[] WrappedKey,
        byte[] PersonalData,
        string Locale,
        long Version,
        DateTimeOffset CreatedAt
    );

    private static class Sql
    {
        public const string Add = """
            INSERT INTO customers (customer_id, merchant_id, email_lookup, personal_data, locale, version, created_at)
            VALUES (@CustomerId, @MerchantId, @EmailLookup, @PersonalData, @Locale, 1, @CreatedAt)
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
            SELECT customer_id
              FROM customers
             WHERE merchant_id = @MerchantId
               AND email_lookup = @EmailLookup
            """;

        public const string Get = """
            SELECT k.wrapped_key, c.personal_data, c.locale, c.version, c.created_at
              FROM customers c
              JOIN subject_keys k ON k.customer_id = c.customer_id
             WHERE c.customer_id = @CustomerId
               AND c.merchant_id = @MerchantId
            """;
    }
}

/// <summary>A customer with its personal data in clear.</summary>
internal sealed record Customer(
    CustomerId Id,
    PersonalData Data,
    string Locale,
    long Version,
    DateTimeOffset CreatedAt
);
