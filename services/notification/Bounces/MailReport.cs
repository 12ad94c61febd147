using System.Text.RegularExpressions;
using MimeKit;

namespace LocalPlus.Notification.Bounces;

/// <summary>What a report says became of a mail.</summary>
internal static class ReportKinds
{
    /// <summary>A reader called it unwanted (RFC 5965).</summary>
    public const string Complaint = "complaint";

    /// <summary>It can not be delivered to the address, for good.</summary>
    public const string Hard = "hard";

    /// <summary>It was not taken for a reason that is not the address's: the mail, the sender, a full
    /// mailbox.</summary>
    public const string Refused = "refused";

    /// <summary>It is late, or was given up for now.</summary>
    public const string Soft = "soft";
}

/// <summary>
/// A delivery status notification (RFC 3464) or a complaint (RFC 5965). Nothing of it is believed but for what a token
/// among its <paramref name="Hints"/> proves it speaks of.
/// </summary>
/// <param name="Status">As 5.1.1 (RFC 3463); none for a complaint.</param>
/// <param name="Hints">Where tokens may stand: whom the report went to, and what it gives back of the mail.</param>
internal sealed partial record MailReport(string Kind, string? Status, IReadOnlyList<string> Hints)
{
    private static readonly string[] Recipients =
    [
        "Delivered-To",
        "Envelope-To",
        "To",
        "X-Envelope-To",
        "X-Original-To",
    ];

    private static readonly string[] OfReturned = ["Message-ID", "Return-Path"];

    /// <summary>Null for a mail that is no report, or one of something else: of a success, of no complaint.</summary>
    public static MailReport? Read(MimeMessage mail)
    {
        if (mail.Body is not MultipartReport parts)
        {
            return null;
        }

        var complaint = parts.OfType<MessageFeedbackReport>().FirstOrDefault()?.Fields;
        (string? Kind, string? Status) said =
            complaint is not null ? (KindOfComplaint(complaint), null)
            : parts.OfType<MessageDeliveryStatus>().FirstOrDefault() is { } delivery ? Worst(delivery.StatusGroups)
            : (null, null);
        return said.Kind is null
            ? null
            : new(
                said.Kind,
                said.Status,
                [
                    .. Values(mail.Headers, Recipients),
                    .. Values(complaint, ["Original-Mail-From"]),
                    .. Values(parts.OfType<MessagePart>().FirstOrDefault()?.Message?.Headers, OfReturned),
                ]
            );
    }

    private static IEnumerable<string> Values(HeaderList? headers, string[] names) =>
        headers is null
            ? []
            : headers.Where(h => names.Contains(h.Field, StringComparer.OrdinalIgnoreCase)).Select(h => h.Value);

    private static string? KindOfComplaint(HeaderList fields) =>
        fields["Feedback-Type"]?.Trim().ToLowerInvariant() is "abuse" or "fraud" ? ReportKinds.Complaint : null;

    /// <summary>A mail has one reader: what failed for good goes before what is merely late.</summary>
    private static (string? Kind, string? Status) Worst(HeaderListCollection groups) =>
        groups
            .Select(KindOfDelivery)
            .Where(said => said.Kind is not null)
            .OrderBy(said => said.Kind, StringComparer.Ordinal)
            .FirstOrDefault();

    private static (string? Kind, string? Status) KindOfDelivery(HeaderList fields)
    {
        var status = EnhancedStatus().Match(fields["Status"] ?? "").Value;
        var action = fields["Action"]?.Trim().ToLowerInvariant();
        return (action, status) switch
        {
            (_, "") => (null, null),
            ("failed", ['5', ..]) => (IsOfAddress(status) ? ReportKinds.Hard : ReportKinds.Refused, status),
            ("failed" or "delayed", _) => (ReportKinds.Soft, status),
            _ => (null, null),
        };
    }

    /// <summary>
    /// Whether a permanent status tells of the address, and not of a mailbox that is full, of the mail or of its sender
    /// (RFC 3463: 5.6 and 5.7).
    /// </summary>
    private static bool IsOfAddress(string status) =>
        status is not (['5', '.', '6' or '7', '.', ..] or "5.2.2" or "5.2.3" or "5.3.4");

    [GeneratedRegex(@"(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")]
    private static partial Regex EnhancedStatus();
}
