using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>An address to which a merchant's messages do not go.</summary>
internal readonly record struct SuppressionId(Guid Value) : IId<SuppressionId>
{
    public static string Prefix => "sup";

    public static SuppressionId From(Guid value) => new(value);

    public static bool TryParse(string? text, IFormatProvider? provider, out SuppressionId id) =>
        Ids.TryParse(text, out id);

    public override string ToString() => Ids.Format(this);
}

/// <param name="Channel">mail or sms.</param>
/// <param name="Reason">bounced (there is no such mailbox), complained, or merchant (who wants it so).</param>
/// <param name="SmtpStatus">What the mail server answered.</param>
internal sealed record SuppressionView(
    SuppressionId Id,
    string Object,
    string Channel,
    string Recipient,
    CustomerId CustomerId,
    string Reason,
    int? SmtpStatus,
    DateTimeOffset CreatedAt
);

/// <summary>A row of notification_suppressions.</summary>
internal sealed record SuppressionRow(
    SuppressionId SuppressionId,
    string Channel,
    string MaskedAddress,
    CustomerId CustomerId,
    string Reason,
    short? SmtpStatus,
    DateTimeOffset CreatedAt
)
{
    public const string Columns =
        "suppression_id, channel, masked_address, customer_id, reason, smtp_status, created_at";

    public SuppressionView ToView() =>
        new(
            SuppressionId,
            "notification_suppression",
            Channel,
            MaskedAddress,
            CustomerId,
            Reason,
            SmtpStatus,
            CreatedAt
        );
}
