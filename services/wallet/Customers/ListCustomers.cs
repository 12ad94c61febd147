using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /v1/customers: the merchant's customers with their personal data, newest first. Refusals: invalid_request.
/// </summary>
internal static class ListCustomers
{
    private const string Filters = "customers";

    public static IEndpointRouteBuilder MapListCustomers(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(ListCustomers))
            .Produces<Page<CustomerView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerStore customers,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant, Filters);
        var rows = await database.QueryAsync<CustomerRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                after.CreatedAt,
                after.Id,
                Take = size + 1,
            },
            cancel
        );
        http.ForThisReaderOnly();
        return Answer.Ok(
            Page<CustomerView>.Of(
                [.. rows.Select(row => customers.Open(row).ToView())],
                size,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant, Filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {CustomerRow.Columns}
             WHERE c.merchant_id = @MerchantId
               AND (c.created_at, c.customer_id) < (@CreatedAt, @Id)
             ORDER BY c.created_at DESC, c.customer_id DESC
             LIMIT @Take
            """;
    }
}
