namespace LocalPlus.Notification;

/// <summary>Where the requests of merchants to this service are told (ADR 0059).</summary>
internal static class RequestTrail
{
    public const string Topic = "notification.requests.v1";
}
