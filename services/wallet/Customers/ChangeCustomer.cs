using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;
using Npgsql;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// PATCH /v1/customers/{id} with If-Match: what is known of a person. Members that are not sent stay; name and
/// telephone go when <c>remove</c> names them. Refusals: not_found, customer_exists (the new address is another's, who
/// is named), if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeCustomer
{
    private const string Name = "name";
    private const string Phone = "phone";

    /// <param name="Remove">name, phone, or both.</param>
    internal sealed record Request(
        string? Email = null,
        string? Name = null,
        string? Phone = null,
        string? Locale = null,
        IReadOnlyList<string>? Remove = null
    );

    public static IEndpointRouteBuilder MapChangeCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/customers/{id}", HandleAsync)
            .RequireScope("customers:write")
            .RequireIfMatch()
            .Refuses(Faults.CustomerExists)
            .Audit("customer.change")
            .WithName(nameof(ChangeCustomer))
            .Produces<CustomerView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Request request,
        CustomerStore customers,
        PersonalDataVault vault,
        PiiVersions versions,
        Database database,
        CancellationToken cancel
    )
    {
        var version = http.RequireIfMatch();
        Check(request);
        var merchant = http.GetMerchant().MerchantId;
        await using var db = await database.BeginAsync(cancel);
        var keys = await versions.ForWritingAsync(db);
        var row = await CustomerStore.LockAsync(db, merchant, id);
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The customer's version is {row.Version}.");
        }

        var before = customers.Open(row);
        var changed = before with
        {
            Data = Changed(before.Data, request),
            Locale = request.Locale ?? before.Locale,
            Version = before.Version + 1,
        };
        var lookup = keys.Email(merchant, changed.Data.Email)!;
        await Lookups.BringAsync(db, merchant, lookup, phone: null);
        // The address of one that was merged into this one is this one's already.
        await db.ExecuteAsync(Sql.TakeOver, new { row.CustomerId, EmailLookup = lookup.Newest });
        try
        {
            await db.ExecuteAsync(
                Sql.Change,
                new
                {
                    row.CustomerId,
                    EmailLookup = lookup.Newest,
                    PhoneLookup = keys.Phone(merchant, changed.Data.Phone)?.Newest,
                    PersonalData = vault.Seal(row.CustomerId, row.WrappedKey, changed.Data),
                    changed.Locale,
                    changed.Version,
                }
            );
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The transaction reads nothing any more, and what it brought to the newest version is back. Another one
            // looks whose it is.
            throw CustomerStore.Exists(
                await database.QuerySingleOrDefaultAsync<CustomerId?>(
                    CustomerStore.Sql.Find,
                    new { MerchantId = merchant, EmailLookups = lookup.All },
                    cancel
                )
            );
        }

        await db.CommitAsync();
        http.ForThisReaderOnly();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static void Check(Request request)
    {
        var removed = request.Remove ?? [];
        CustomerStore
            .Shape(request.Email, request.Name, request.Phone, request.Locale)
            .Require(removed.All(field => field is Name or Phone), "/remove", "invalid")
            .Require(request.Name is null || !removed.Contains(Name), "/remove", "contradiction")
            .Require(request.Phone is null || !removed.Contains(Phone), "/remove", "contradiction")
            .ThrowIfAny();
    }

    private static PersonalData Changed(PersonalData before, Request request)
    {
        var removed = request.Remove ?? [];
        return PersonalData.Of(
            request.Email ?? before.Email,
            removed.Contains(Name) ? null : request.Name ?? before.Name,
            removed.Contains(Phone) ? null : request.Phone ?? before.Phone
        );
    }

    private static class Sql
    {
        public const string TakeOver = """
            UPDATE customers
               SET email_lookup = NULL
             WHERE merged_into = @CustomerId
               AND email_lookup = @EmailLookup
            """;

        public const string Change = """
            UPDATE customers
               SET email_lookup = @EmailLookup, phone_lookup = @PhoneLookup, lookups_made = 2,
                   personal_data = @PersonalData, locale = @Locale, version = @Version
             WHERE customer_id = @CustomerId
            """;
    }
}
