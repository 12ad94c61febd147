using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>A customer with its personal data in clear.</summary>
internal sealed record Customer(CustomerId Id, PersonalData Data, string Locale, long Version, DateTimeOffset CreatedAt)
{
    public CustomerView ToView() => new(Id, "customer", Data.Email, Data.Name, Data.Phone, Locale, Version, CreatedAt);
}

/// <summary>A customer as its own merchant sees it, and nobody else.</summary>
internal sealed record CustomerView(
    CustomerId Id,
    string Object,
    string Email,
    string? Name,
    string? Phone,
    string Locale,
    long Version,
    DateTimeOffset CreatedAt
);

/// <summary>A row of customers with the key that opens it.</summary>
internal sealed record CustomerRow(
    CustomerId CustomerId,
    byte[] WrappedKey,
    byte[] PersonalData,
    string Locale,
    long Version,
    DateTimeOffset CreatedAt
)
{
    /// <summary>
    /// Of c, the one that an id leads to; who has no key any more is forgotten, and of an id that was merged it is
    /// the customer that it is part of now.
    /// </summary>
    public const string Columns = """
        SELECT c.customer_id, k.wrapped_key, c.personal_data, c.locale, c.version, c.created_at
          FROM customers c
          JOIN subject_keys k ON k.customer_id = c.customer_id
        """;
}

/// <summary>Answers with personal data are for the one reader who asked.</summary>
internal static class PersonalAnswers
{
    public static void ForThisReaderOnly(this HttpContext http) => http.Response.Headers.CacheControl = "no-store";
}
