using LocalPlus.Hosting;
using LocalPlus.Notification.Readers;
using Npgsql;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// Sends what is due. A message is claimed for <see cref="Lease"/> in SQL, the claim renewed while it is sent, and
/// marked; a sender that dies in between loses its claim and the message is sent again: a mail may come twice, with
/// the same Message-ID, never not at all. Failures are repeated with back-off until <see cref="Backoff.MaxAttempts"/>,
/// then the message is dead until an operator sends it again.
/// </summary>
internal sealed class MailSender(
    Database database,
    MessageDispatch dispatch,
    TimeProvider time,
    ILogger<MailSender> log
) : BackgroundService
{
    private const int Batch = 20;
    private const int Parallel = 4;

    internal static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a message waits whose sender died; three renewals may fail.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2.5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await SendDueAsync(stoppingToken) == Batch)
                {
                    // A full batch: there may be more at once.
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.SenderStumbled(exception);
            }
        }
    }

    /// <summary>Claims and sends up to a batch; the number claimed.</summary>
    private async Task<int> SendDueAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        var due = await db.QueryAsync<DueMessage>(
            Sql.Claim,
            new
            {
                Now = now,
                LeaseUntil = now + Lease,
                Limit = Batch,
            }
        );
        await db.CommitAsync();
        if (due.Count == 0)
        {
            return 0;
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var holding = HoldAsync(due, now + Lease, done.Token);
        try
        {
            await System.Threading.Tasks.Parallel.ForEachAsync(
                due,
                new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancel },
                async (message, token) =>
                {
                    await Failpoints.BeforeAsync("SendMail");
                    var outcome = await dispatch.SendAsync(message, token);
                    await Failpoints.CommittedAsync("SendMail");
                    await FinishAsync(message, outcome, token);
                    await Failpoints.AnsweredAsync("SendMail");
                }
            );
        }
        finally
        {
            await done.CancelAsync();
            await holding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return due.Count;
    }

    /// <summary>Keeps the claims on those of the messages that are not finished, until it is cancelled.</summary>
    private async Task HoldAsync(IReadOnlyList<DueMessage> messages, DateTimeOffset until, CancellationToken cancel)
    {
        var ids = messages.Select(message => message.NotificationId.Value).ToArray();
        using var timer = new PeriodicTimer(Renewal, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            var next = time.GetUtcNow() + Lease;
            try
            {
                await using var db = await database.BeginAsync(cancel);
                await db.ExecuteAsync(
                    Sql.Renew,
                    new
                    {
                        Ids = ids,
                        Held = until,
                        LeaseUntil = next,
                    }
                );
                await db.CommitAsync();
                until = next;
            }
            catch (NpgsqlException away) when (!cancel.IsCancellationRequested)
            {
                log.SenderStumbled(away);
            }
        }
    }

    private async Task FinishAsync(DueMessage message, SendOutcome outcome, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var pause = outcome is SendOutcome.Failed ? Backoff.After(message.Attempts - message.Deferrals) : null;
        var (state, code, due) = outcome switch
        {
            SendOutcome.Sent => ("sent", null, (DateTimeOffset?)null),
            SendOutcome.Skipped skipped => ("skipped", skipped.Code, null),
            SendOutcome.Bounced => ("skipped", "address_bounced", null),
            SendOutcome.Deferred deferred => ("pending", deferred.Code, deferred.Until),
            SendOutcome.Failed failed => (pause is null ? "dead" : "pending", failed.Code, now + pause),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var sent = outcome as SendOutcome.Sent;
        await using var db = await database.BeginAsync(cancel);
        var isOurs = await db.ExecuteAsync(
            Sql.Finish,
            new
            {
                message.NotificationId,
                message.Attempts,
                State = state,
                DueAt = due?.UtcDateTime,
                LastError = code,
                Deferrals = outcome is SendOutcome.Deferred ? 1 : 0,
                sent?.MaskedAddress,
                sent?.AddressHash,
                SentAt = sent is null ? (DateTime?)null : now.UtcDateTime,
            }
        );
        if (outcome is SendOutcome.Failed { Counted: { } counted })
        {
            await SendGate.GiveBackAsync(db, counted.Message, counted.At);
        }

        // Whoever was forgotten meanwhile has no message that waits, and nothing new is kept.
        if (isOurs > 0 && outcome is SendOutcome.Bounced { Message: { } bounced, Customer: { } customer } bounce)
        {
            await Suppressions.AddAsync(db, bounced, customer, bounce.Address, "bounced", time, bounce.SmtpStatus);
        }

        await db.CommitAsync();
        Telemetry.Tried(message.Kind, message.Channel, outcome is SendOutcome.Deferred ? "deferred" : state);
        if (sent is not null && message.Deferrals == 0)
        {
            Telemetry.Sent(now - message.CreatedAt);
        }

        Tell(message, outcome, dead: state == "dead");
    }

    private void Tell(DueMessage message, SendOutcome outcome, bool dead)
    {
        switch (outcome)
        {
            case SendOutcome.Sent:
                log.Sent(message.NotificationId);
                break;
            case SendOutcome.Skipped skipped:
                log.Skipped(message.NotificationId, skipped.Code);
                break;
            case SendOutcome.Bounced:
                log.Skipped(message.NotificationId, "address_bounced");
                break;
            case SendOutcome.Deferred deferred:
                log.Deferred(message.NotificationId, deferred.Code);
                break;
            case SendOutcome.Failed failed when dead:
                log.GivenUp(message.NotificationId, failed.Code);
                break;
            case SendOutcome.Failed failed:
                log.Failed(message.NotificationId, failed.Code, message.Attempts - message.Deferrals, failed.Cause);
                break;
        }
    }

    private static class Sql
    {
        // Replicas share the due rows: each takes other ones.
        public const string Claim = """
            UPDATE notifications n
               SET attempts = n.attempts + 1,
                   due_at = @LeaseUntil
              FROM (SELECT notification_id
                      FROM notifications
                     WHERE state = 'pending'
                       AND due_at <= @Now
                     ORDER BY due_at
                     LIMIT @Limit
                       FOR UPDATE SKIP LOCKED) d
             WHERE n.notification_id = d.notification_id
            RETURNING n.notification_id, n.merchant_id, n.kind, n.channel, n.gift_card_id, n.redemption_id,
                   n.webhook_id, n.amount, n.currency, n.attempts, n.deferrals, n.sample_kind, n.sample_locale,
                   n.sample_to, n.expires_at, n.created_at
            """;

        // A claim is known by its end: one that was finished, or taken by another, has another one.
        public const string Renew = """
            UPDATE notifications
               SET due_at = @LeaseUntil
             WHERE notification_id = ANY(@Ids)
               AND state = 'pending'
               AND due_at = @Held
            """;

        // A claim that ran out meanwhile belongs to somebody else, who counted an attempt more.
        public const string Finish = """
            UPDATE notifications
               SET state = @State,
                   due_at = @DueAt,
                   last_error = @LastError,
                   deferrals = deferrals + @Deferrals,
                   address_hash = COALESCE(@AddressHash, address_hash),
                   masked_address = COALESCE(@MaskedAddress, masked_address),
                   sent_at = COALESCE(@SentAt, sent_at)
             WHERE notification_id = @NotificationId
               AND state = 'pending'
               AND attempts = @Attempts
            """;
    }
}
