using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// POST /v1/notification_suppressions: nothing goes to a customer's address any more, of whatever kind, because it
/// complained or because the merchant wants it so. One that is there already is answered as it is. Refusals:
/// invalid_request, not_found, customer_without_address.
/// </summary>
internal static class CreateSuppression
{
    private static readonly string[] Reasons = ["complained", "merchant"];

    /// <param name="Channel">mail or sms.</param>
    /// <param name="Reason">complained or merchant.</param>
    internal sealed record Request(CustomerId CustomerId, string Channel, string Reason);

    public static IEndpointRouteBuilder MapCreateSuppression(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/notification_suppressions", HandleAsync)
            .RequireScope("notifications:write")
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.NotFound, Faults.CustomerWithoutAddress)
            .Audit("notification_suppression.create")
            .WithName(nameof(CreateSuppression))
            .Produces<SuppressionView>(StatusCodes.Status201Created);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        ReaderAddresses addresses,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Channel is Channels.Mail or Channels.Sms, "/channel", "unknown_channel")
            .Require(Reasons.Contains(request.Reason, StringComparer.Ordinal), "/reason", "unknown_reason")
            .ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        ReaderAddress? address = null;
        return idempotent.ExecuteAsync(
            http,
            request,
            async () =>
            {
                address = await addresses.FindAsync(merchant, request.CustomerId, request.Channel, cancel);
            },
            async db =>
            {
                var message = new Outgoing(merchant, "", request.Channel, address!.Hash, address.Hash);
                var row =
                    await Suppressions.AddAsync(db, message, request.CustomerId, address.Text, request.Reason, time)
                    ?? throw new FaultException(CommonFaults.NotFound, "There is no such customer.");
                return Answer.Created($"/v1/notification_suppressions/{row.SuppressionId}", row.ToView());
            },
            cancel
        );
    }
}
