using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /v1/customers/{id}/consents: the person has agreed to a purpose, as a version of a text says it. What was
/// agreed to before stays in force beside it. Refusals: not_found, limit_exceeded
/// (<see cref="CustomerLimits.Consents"/>), invalid_request.
/// </summary>
internal static class GiveConsent
{
    /// <param name="GivenAt">Absent: now.</param>
    /// <param name="Proof">How it can be seen that the person agreed; kept under the person's key.</param>
    internal sealed record Request(
        string Purpose,
        string TextVersion,
        DateTimeOffset? GivenAt = null,
        string? Proof = null
    );

    public static IEndpointRouteBuilder MapGiveConsent(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/{id}/consents", HandleAsync)
            .RequireScope("customers:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.LimitExceeded)
            .Audit("consent.give")
            .WithName(nameof(GiveConsent))
            .Produces<ConsentView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Request request,
        IdempotentRequests requests,
        PersonalDataVault vault,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        new FieldChecks()
            .Text(request.Purpose, "/purpose", CustomerLimits.PurposeLength)
            .Text(request.TextVersion, "/text_version", CustomerLimits.PurposeLength)
            .Message(request.Proof, "/proof", CustomerLimits.ProofLength)
            .Require(
                request.GivenAt is null || request.GivenAt <= now + CustomerLimits.ClockSkew,
                "/given_at",
                "future"
            )
            .ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        return requests.ExecuteAsync(http, request, db => AddAsync(db, merchant, id, request, vault), cancel);
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        MerchantId merchant,
        CustomerId id,
        Request request,
        PersonalDataVault vault
    )
    {
        var customer = await CustomerStore.LockAsync(db, merchant, id);
        if (await db.QuerySingleAsync<long>(Sql.Count, new { customer.CustomerId }) >= CustomerLimits.Consents)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"At most {CustomerLimits.Consents} consents of one person are kept."
            );
        }

        var now = db.Now;
        var row = new ConsentRow(
            ConsentId.From(Guid.CreateVersion7(now)),
            customer.CustomerId,
            request.Purpose.Trim(),
            request.TextVersion.Trim(),
            request.Proof is { } proof
                ? vault.SealText(customer.CustomerId, customer.WrappedKey, ConsentRow.ProofKind, proof)
                : null,
            request.GivenAt ?? now,
            now,
            WithdrawnAt: null,
            WithdrawalRecordedAt: null
        );
        await db.ExecuteAsync(
            Sql.Add,
            new
            {
                row.ConsentId,
                row.CustomerId,
                MerchantId = merchant,
                row.Purpose,
                row.TextVersion,
                row.Proof,
                row.GivenAt,
                row.RecordedAt,
            }
        );
        return Answer.Created($"/v1/customers/{row.CustomerId}/consents", row.ToView());
    }

    private static class Sql
    {
        public const string Count = "SELECT count(*) FROM customer_consents WHERE customer_id = @CustomerId";

        public const string Add = """
            INSERT INTO customer_consents (consent_id, customer_id, merchant_id, purpose, text_version, proof, given_at,
                   recorded_at)
            VALUES (@ConsentId, @CustomerId, @MerchantId, @Purpose, @TextVersion, @Proof, @GivenAt, @RecordedAt)
            """;
    }
}
