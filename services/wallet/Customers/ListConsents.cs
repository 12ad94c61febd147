using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// GET /v1/customers/{id}/consents: all that the person has agreed to, in force and withdrawn, newest first. Refusals:
/// not_found.
/// </summary>
internal static class ListConsents
{
    /// <param name="Data">At most <see cref="CustomerLimits.Consents"/>.</param>
    internal sealed record Response(IReadOnlyList<ConsentView> Data);

    public static IEndpointRouteBuilder MapListConsents(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/consents", HandleAsync)
            .RequireScope("customers:read")
            .WithName(nameof(ListConsents))
            .Produces<Response>();
        return group;
    }

    /// <summary>With their proofs in clear.</summary>
    public static async Task<IReadOnlyList<ConsentView>> ReadAsync(
        DbSession db,
        CustomerRow customer,
        PersonalDataVault vault
    )
    {
        var rows = await db.QueryAsync<ConsentRow>(Sql.List, new { customer.CustomerId });
        return [.. rows.Select(row => row.ToView(Proof(row)))];

        string? Proof(ConsentRow row) =>
            row.Proof is { } proof
                ? vault.OpenText(customer.CustomerId, customer.WrappedKey, ConsentRow.ProofKind, proof)
                : null;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        PersonalDataVault vault,
        Database database,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var customer = await CustomerStore.GetAsync(db, http.GetMerchant().MerchantId, id);
        http.ForThisReaderOnly();
        return Answer.Ok(new Response(await ReadAsync(db, customer, vault)));
    }

    private static class Sql
    {
        public const string List = $"""
            {ConsentRow.Columns}
             WHERE s.customer_id = @CustomerId
             ORDER BY s.given_at DESC, s.consent_id DESC
            """;
    }
}
