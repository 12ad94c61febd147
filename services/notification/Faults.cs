using LocalPlus.Kernel;

namespace LocalPlus.Notification;

/// <summary>The refusals that only this service makes; the shared ones are in CommonFaults.</summary>
internal static class Faults
{
    public static readonly Fault NotificationPending = new(
        "notification_pending",
        409,
        "The notification is still to be sent"
    );
    public static readonly Fault CustomerWithoutAddress = new(
        "customer_without_address",
        422,
        "The customer has no address of this kind"
    );
    public static readonly Fault TemplateInvalid = new("template_invalid", 422, "The template can not be used");
    public static readonly Fault WebhookDeliveryPending = new(
        "webhook_delivery_pending",
        409,
        "The event is still to be sent to this endpoint"
    );
    public static readonly Fault WebhookEndpointDisabled = new(
        "webhook_endpoint_disabled",
        409,
        "The webhook endpoint is disabled"
    );
    public static readonly Fault TooManyWebhookEndpoints = new(
        "too_many_webhook_endpoints",
        422,
        "The merchant has as many webhook endpoints as it may"
    );
    public static readonly Fault WebhookUrlRefused = new("webhook_url_refused", 422, "Nothing is sent to this address");
}
