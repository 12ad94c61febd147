using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Erasure;

namespace LocalPlus.Wallet.Export;

/// <summary>
/// GET /v1/customers/{id}/export: everything that is kept about a person, of every service that keeps anything, in one
/// document. The ledger keeps nothing of a person: its accounts are named after the cards and members in here.
/// Refusals: not_found, busy (a service is away).
/// </summary>
internal static class ExportCustomer
{
    /// <param name="Ids">What the person is called in cards, messages and events.</param>
    /// <param name="GiftCards">Each with activities and, if it was sent to somebody, what was written.</param>
    /// <param name="Messages">Mails, with their addresses masked.</param>
    internal sealed record Response(
        string Object,
        DateTimeOffset ExportedAt,
        IReadOnlyList<CustomerId> Ids,
        CustomerView Customer,
        IReadOnlyList<ConsentView> Consents,
        IReadOnlyList<LegalHoldView> LegalHolds,
        IReadOnlyList<ExportedMember> Memberships,
        IReadOnlyList<JsonElement> GiftCards,
        IReadOnlyList<JsonElement> Messages
    );

    public static IEndpointRouteBuilder MapExportCustomer(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/customers/{id}/export", HandleAsync)
            .RequireScope("privacy:read")
            .Audit("customer.export")
            .WithName(nameof(ExportCustomer))
            .Produces<Response>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        PersonalRecords records,
        HeldElsewhere elsewhere,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var own = await records.ReadAsync(merchant, id, cancel);
        List<JsonElement> cards = [];
        List<JsonElement> messages = [];
        foreach (var known in own.Ids)
        {
            cards.AddRange(await elsewhere.CardsAsync(known, merchant, cancel));
            messages.AddRange(await elsewhere.MessagesAsync(known, merchant, cancel));
        }

        http.ForThisReaderOnly();
        return Answer.Ok(
            new Response(
                "customer_export",
                time.GetUtcNow(),
                own.Ids,
                own.Customer,
                own.Consents,
                own.LegalHolds,
                own.Memberships,
                cards,
                messages
            )
        );
    }
}
