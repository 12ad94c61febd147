namespace LocalPlus.Notification;

/// <summary>Where what people and keys did at this service is told (ADR 0031).</summary>
internal static class AuditTrail
{
    public const string Topic = "notification.audit.v1";
}
