namespace LocalPlus.Giftcard;

/// <summary>Where what people and keys did at this service is told (ADR 0031).</summary>
internal static class AuditTrail
{
    public const string Topic = "giftcard.audit.v1";
}
