using LocalPlus.Hosting;
using LocalPlus.Wallet.Keys;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /v1/customers/find: the merchant's customers with an address (one at most) or a telephone in its international
/// form (several people may share one), exactly one of the two; in the body, as paths and queries end up in logs. The
/// first <see cref="MaxFound"/>, newest first. Refusals: invalid_request.
/// </summary>
internal static class FindCustomers
{
    private const int MaxFound = 50;

    internal sealed record Request(string? Email = null, string? Phone = null);

    internal sealed record Response(IReadOnlyList<CustomerView> Data);

    public static IEndpointRouteBuilder MapFindCustomers(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/find", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(FindCustomers))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        CustomerStore customers,
        PiiVersions versions,
        Database database,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require((request.Email is null) != (request.Phone is null), "", "exactly_one")
            .Email(request.Email, "/email")
            .Phone(request.Phone, "/phone")
            .ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        await using var db = await database.BeginAsync(cancel);
        var rows = await versions.FindAsync(
            db,
            async version =>
                await db.QueryAsync<CustomerRow>(
                    Sql.Find,
                    new
                    {
                        MerchantId = merchant,
                        EmailLookups = version.Email(merchant, request.Email)?.All ?? [],
                        PhoneLookups = version.Phone(merchant, request.Phone)?.All ?? [],
                        Take = MaxFound,
                    }
                )
                    is { Count: > 0 } some
                    ? some
                    : null
        );
        http.ForThisReaderOnly();
        return Answer.Ok(new Response([.. (rows ?? []).Select(row => customers.Open(row).ToView())]));
    }

    private static class Sql
    {
        // What found a person that was merged finds the one that it is part of now.
        public const string Find = $"""
            {CustomerRow.Columns}
             WHERE c.customer_id IN (SELECT coalesce(f.merged_into, f.customer_id)
                                       FROM customers f
                                      WHERE f.merchant_id = @MerchantId
                                        AND f.email_lookup = ANY(@EmailLookups)
                                      UNION ALL
                                     SELECT coalesce(f.merged_into, f.customer_id)
                                       FROM customers f
                                      WHERE f.merchant_id = @MerchantId
                                        AND f.phone_lookup = ANY(@PhoneLookups))
             ORDER BY c.created_at DESC, c.customer_id DESC
             LIMIT @Take
            """;
    }
}
