using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Events;

namespace LocalPlus.Notification.Webhooks;

/// <summary>What the requests that make and change an endpoint have in common.</summary>
internal static class WebhookChecks
{
    public static FieldChecks Endpoint(
        this FieldChecks checks,
        WebhookHosts hosts,
        string? url,
        string? description,
        IReadOnlyList<string>? eventTypes
    )
    {
        var problem = url is null ? null : hosts.Problem(url);
        checks
            .Text(url, "/url", WebhookLimits.UrlLength)
            .Require(problem is null, "/url", problem ?? "")
            .Text(description, "/description", WebhookLimits.DescriptionLength)
            .Require(
                eventTypes is null || eventTypes.Count <= WebhookLimits.EventTypesPerEndpoint,
                "/event_types",
                "too_long"
            );
        foreach (var (i, type) in (eventTypes ?? []).Take(WebhookLimits.EventTypesPerEndpoint).Index())
        {
            checks.Require(EventTypes.IsKnown(type), $"/event_types/{i}", "unknown_event_type");
        }

        return checks;
    }

    /// <summary>
    /// Looks the host up, before any transaction; the refusal is thrown inside it, so that it is this key's answer.
    /// </summary>
    public static async Task<FaultException?> RefusalAsync(
        this WebhookHosts hosts,
        string url,
        CancellationToken cancel
    )
    {
        try
        {
            await hosts.AddressesAsync(new Uri(url), cancel);
            return null;
        }
        catch (HostRefusedException refused)
        {
            return new FaultException(
                Faults.WebhookUrlRefused,
                "Webhooks are sent to hosts on the internet, whose addresses are all public.",
                new FieldError("/url", refused.Code)
            );
        }
    }
}
