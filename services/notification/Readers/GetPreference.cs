using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// GET /v1/notification_preferences/{customer_id}: what a customer wants at the address that it has now; its version is
/// the ETag, 0 when nothing was said. Refusals: not_found.
/// </summary>
internal static class GetPreference
{
    public static IEndpointRouteBuilder MapGetPreference(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/notification_preferences/{customerId}", HandleAsync)
            .RequireScope("notifications:read")
            .WithName(nameof(GetPreference))
            .Produces<PreferenceView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId customerId,
        ReaderAddresses addresses,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var address = await addresses.FindAsync(merchant, customerId, Channels.Mail, cancel);
        var row = await database.QuerySingleOrDefaultAsync<PreferenceRow>(
            Sql.Get,
            new { MerchantId = merchant, AddressHash = address.Hash },
            cancel
        );
        return Answer.Ok(PreferenceRow.ViewOf(customerId, row), row?.Version ?? 0);
    }

    internal static class Sql
    {
        public const string Get = $"""
            SELECT {PreferenceRow.Columns}
              FROM notification_recipients
             WHERE merchant_id = @MerchantId
               AND address_hash = @AddressHash
            """;

        public const string Lock = $"{Get} FOR NO KEY UPDATE";
    }
}
