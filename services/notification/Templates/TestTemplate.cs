using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// POST /v1/notification_templates/{kind}/{locale}/test: a mail by the saved template, with values of nobody, to one of
/// the merchant's own addresses and to nobody else. Refusals: not_found, invalid_request, quota_exceeded.
/// </summary>
internal static class TestTemplate
{
    /// <param name="To">contact (the merchant's own address) or support (the one that its customers know).</param>
    internal sealed record Request(string To = "contact");

    public static IEndpointRouteBuilder MapTestTemplate(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/notification_templates/{kind}/{locale}/test", HandleAsync)
            .RequireScope("notifications:write")
            .RequireIdempotencyKey()
            .Limited(RateLimit.TemplateTest)
            .WithName(nameof(TestTemplate))
            .Produces<NotificationView>(StatusCodes.Status202Accepted);
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        string kind,
        string locale,
        Request request,
        IdempotentRequests idempotent,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        TemplateChecks.RequireKnown(kind, locale);
        new FieldChecks().Require(request.To is "contact" or "support", "/to", "unknown_address").ThrowIfAny();
        return idempotent.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var id = NotificationId.New(time);
                var row = await db.QuerySingleAsync<NotificationRow>(
                    Sql.Add,
                    new
                    {
                        NotificationId = id,
                        http.GetMerchant().MerchantId,
                        SampleKind = kind,
                        SampleLocale = locale,
                        SampleTo = request.To,
                        Now = time.GetUtcNow(),
                    }
                );
                return Answer.Accepted("/v1/notifications", row.ToView());
            },
            cancel
        );
    }

    private static class Sql
    {
        // No event made it, so it is its own.
        public const string Add = $"""
            INSERT INTO notifications (notification_id, merchant_id, event_id, kind, channel, state, attempts,
                   deferrals, due_at, created_at, sample_kind, sample_locale, sample_to)
            VALUES (@NotificationId, @MerchantId, @NotificationId, 'template_test', 'mail', 'pending', 0, 0, @Now, @Now,
                   @SampleKind, @SampleLocale, @SampleTo)
            RETURNING {NotificationRow.Columns}
            """;
    }
}
