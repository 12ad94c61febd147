using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Readers;

/// <summary>
/// PUT /v1/notification_preferences/{customer_id}: what a customer wants, as it told the merchant; all of it, in place
/// of what was there. Refusals: not_found, if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class PutPreference
{
    /// <param name="Declined">Kinds that are not sent; cards and warnings can not be declined.</param>
    /// <param name="Sms">Kinds that come as SMS too, to which the customer agreed.</param>
    /// <param name="TimeZone">IANA name, as Europe/Paris.</param>
    internal sealed record Request(
        IReadOnlyList<string> Declined,
        IReadOnlyList<string>? Sms = null,
        string? TimeZone = null,
        HoursView? QuietHours = null
    );

    public static IEndpointRouteBuilder MapPutPreference(this IEndpointRouteBuilder group)
    {
        group
            .MapPut("/notification_preferences/{customerId}", HandleAsync)
            .RequireScope("notifications:write")
            .RequireIfMatch()
            .Audit("notification_preference.change")
            .WithName(nameof(PutPreference))
            .Produces<PreferenceView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId customerId,
        Request request,
        ReaderAddresses addresses,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.Declined.All(NotificationKinds.IsDeclinable), "/declined", "unknown_kind")
            .Require(request.Sms?.All(SmsKinds.Contains) ?? true, "/sms", "unknown_kind")
            .Hours(request.TimeZone, request.QuietHours)
            .ThrowIfAny();
        var version = http.RequireIfMatch();
        var merchant = http.GetMerchant().MerchantId;
        var address = await addresses.FindAsync(merchant, customerId, Channels.Mail, cancel);
        await using var db = await database.BeginAsync(cancel);
        var hours = request.QuietHours?.Read();
        var changed = await db.QuerySingleOrDefaultAsync<PreferenceRow>(
            version == 0 ? Sql.Add : Sql.Change,
            new
            {
                MerchantId = merchant,
                AddressHash = address.Hash,
                CustomerId = customerId,
                Declined = request.Declined.Distinct(StringComparer.Ordinal).ToArray(),
                SmsKinds = (request.Sms ?? []).Distinct(StringComparer.Ordinal).ToArray(),
                request.TimeZone,
                QuietFrom = hours?.FromMinute,
                QuietUntil = hours?.UntilMinute,
                Version = version,
                UpdatedAt = time.GetUtcNow(),
            }
        );
        if (changed is null)
        {
            throw new FaultException(CommonFaults.VersionConflict, "The preferences have another version.");
        }

        await db.CommitAsync();
        return Answer.Ok(PreferenceRow.ViewOf(customerId, changed), changed.Version);
    }

    private static class Sql
    {
        public const string Add = $"""
            INSERT INTO notification_recipients (merchant_id, address_hash, customer_id, declined, sms_kinds, time_zone,
                   quiet_from, quiet_until, version, updated_at)
            SELECT @MerchantId, @AddressHash, @CustomerId, @Declined, @SmsKinds, @TimeZone, @QuietFrom, @QuietUntil,
                   @Version + 1, @UpdatedAt
             WHERE NOT EXISTS (SELECT FROM forgotten_holders f WHERE f.customer_id = @CustomerId)
                ON CONFLICT (merchant_id, address_hash) DO NOTHING
            RETURNING {PreferenceRow.Columns}
            """;

        public const string Change = $"""
            UPDATE notification_recipients
               SET customer_id = @CustomerId,
                   declined = @Declined,
                   sms_kinds = @SmsKinds,
                   time_zone = @TimeZone,
                   quiet_from = @QuietFrom,
                   quiet_until = @QuietUntil,
                   version = version + 1,
                   updated_at = @UpdatedAt
             WHERE merchant_id = @MerchantId
               AND address_hash = @AddressHash
               AND version = @Version
            RETURNING {PreferenceRow.Columns}
            """;
    }
}
