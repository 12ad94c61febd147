using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /v1/customers/{id}/consents/{consent_id}/withdraw: the person does not agree any more. One that was withdrawn
/// stays as it is. Refusals: not_found, invalid_request.
/// </summary>
internal static class WithdrawConsent
{
    /// <param name="WithdrawnAt">Absent: now.</param>
    internal sealed record Request(DateTimeOffset? WithdrawnAt = null);

    public static IEndpointRouteBuilder MapWithdrawConsent(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/{id}/consents/{consent_id}/withdraw", HandleAsync)
            .RequireScope("customers:write")
            .RequireIdempotencyKey()
            .Audit("consent.withdraw")
            .WithName(nameof(WithdrawConsent))
            .Produces<ConsentView>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        ConsentId consent_id,
        Request request,
        IdempotentRequests requests,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var latest = time.GetUtcNow() + CustomerLimits.ClockSkew;
        new FieldChecks()
            .Require(request.WithdrawnAt is null || request.WithdrawnAt <= latest, "/withdrawn_at", "future")
            .ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        return requests.ExecuteAsync(http, request, db => EndAsync(db, merchant, id, consent_id, request), cancel);
    }

    private static async Task<Answer> EndAsync(
        DbSession db,
        MerchantId merchant,
        CustomerId id,
        ConsentId consent,
        Request request
    )
    {
        var customer = await CustomerStore.LockAsync(db, merchant, id);
        var args = new
        {
            ConsentId = consent,
            customer.CustomerId,
            WithdrawnAt = request.WithdrawnAt ?? db.Now,
            db.Now,
        };
        await db.ExecuteAsync(Sql.Withdraw, args);
        var row =
            await db.QuerySingleOrDefaultAsync<ConsentRow>(Sql.Get, args)
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such consent of this customer.");
        return Answer.Ok(row.ToView());
    }

    private static class Sql
    {
        // Nobody takes back what was not given yet.
        public const string Withdraw = """
            UPDATE customer_consents
               SET withdrawn_at = greatest(@WithdrawnAt, given_at), withdrawal_recorded_at = @Now
             WHERE consent_id = @ConsentId
               AND customer_id = @CustomerId
               AND withdrawn_at IS NULL
            """;

        public const string Get = $"""
            {ConsentRow.Columns}
             WHERE s.consent_id = @ConsentId
               AND s.customer_id = @CustomerId
            """;
    }
}
