using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// DELETE /v1/notification_suppressions/{id}: messages go to the address again. What was not sent meanwhile stays
/// unsent. Refusals: not_found.
/// </summary>
internal static class LiftSuppression
{
    public static IEndpointRouteBuilder MapLiftSuppression(this IEndpointRouteBuilder group)
    {
        group
            .MapDelete("/notification_suppressions/{id}", HandleAsync)
            .RequireScope("notifications:write")
            .Audit("notification_suppression.lift")
            .WithName(nameof(LiftSuppression))
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        SuppressionId id,
        Database database,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        if (await db.ExecuteAsync(Sql.Delete, new { SuppressionId = id, http.GetMerchant().MerchantId }) == 0)
        {
            throw new FaultException(CommonFaults.NotFound, "There is no such suppression.");
        }

        await db.CommitAsync();
        return Results.NoContent();
    }

    private static class Sql
    {
        public const string Delete = """
            DELETE FROM notification_suppressions
             WHERE suppression_id = @SuppressionId
               AND merchant_id = @MerchantId
            """;
    }
}
