using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// GET /internal/merchants/{id}/contact, for notification: how a merchant is called and written to. Refusals:
/// no_such_object.
/// </summary>
internal static class GetMerchantContact
{
    /// <param name="Country">ISO 3166; telephone numbers without a country's code are of it.</param>
    /// <param name="TimeZone">IANA name, if it has said so.</param>
    internal sealed record Response(
        string Name,
        string Locale,
        string ContactEmail,
        string? SupportEmail,
        string Country,
        string? TimeZone
    );

    public static IEndpointRouteBuilder MapGetMerchantContact(this IEndpointRouteBuilder intern)
    {
        intern
            .MapGet("/merchants/{id}/contact", HandleAsync)
            .CalledBy("notification")
            .Refuses(CommonFaults.NoSuchObject)
            .WithName(nameof(GetMerchantContact))
            .Produces<Response>();
        return intern;
    }

    private static async Task<IResult> HandleAsync(MerchantId id, Database database, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<Response>(Sql.Get, new { MerchantId = id }, cancel) is { } contact
            ? Answer.Ok(contact)
            : throw new FaultException(CommonFaults.NoSuchObject, "There is no such merchant.");

    private static class Sql
    {
        public const string Get = """
            SELECT name, locale, contact_email, details->>'support_email' AS support_email, country,
                   details->>'time_zone' AS time_zone
              FROM merchants
             WHERE merchant_id = @MerchantId
            """;
    }
}
