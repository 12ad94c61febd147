using Dapr;
using Grpc.Core;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// Sends what is due. A message is claimed for <see cref="Lease"/> in SQL, the claim renewed while it is sent, and
/// marked; a sender that dies in between loses its claim and the message is sent again: a mail may come twice, never
/// not at all. Failures are repeated with back-off until <see cref="Backoff.MaxAttempts"/>, then the message is dead
/// until an operator sends it again.
/// </summary>
internal sealed class MailSender(
    Database database,
    Recipients recipients,
    CardDeliveries deliveries,
    SmtpBinding smtp,
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
        var due = await db.QueryAsync<Due>(
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
                async (message, token) => await FinishAsync(message, await SendAsync(message, token), token)
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
    private async Task HoldAsync(IReadOnlyList<Due> messages, DateTimeOffset until, CancellationToken cancel)
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

    private async Task<Outcome> SendAsync(Due message, CancellationToken cancel)
    {
        try
        {
            var holder = message.GiftCardId is { } card
                ? await database.QuerySingleOrDefaultAsync<Holder>(Sql.Holder, new { GiftCardId = card }, cancel)
                : null;
            if (message.GiftCardId is not null && holder is null)
            {
                return new Outcome.Failed("card_unknown");
            }

            if (holder is { CustomerId: null })
            {
                return new Outcome.Skipped("card_of_nobody");
            }

            var recipient = holder is { CustomerId: { } customer }
                ? await recipients.OfHolderAsync(customer, holder.MerchantId, message.MerchantId, cancel)
                : await recipients.OfMerchantAsync(message.MerchantId, cancel);
            if (recipient is null)
            {
                return new Outcome.Skipped("recipient_unknown");
            }

            var carried = message is { Kind: NotificationKinds.GiftCardDelivery, GiftCardId: { } sent }
                ? await deliveries.OfAsync(sent, cancel)
                : null;
            if (carried is null && message.Kind == NotificationKinds.GiftCardDelivery)
            {
                return new Outcome.Skipped("delivery_gone");
            }

            var facts = new MailFacts(
                recipient.Shop,
                recipient.Name,
                holder?.Last4,
                carried?.Amount ?? message.Money,
                message.RedemptionId?.ToString() ?? message.WebhookId?.ToString(),
                carried,
                recipient.Support
            );
            await smtp.SendAsync(
                recipient.Address,
                MailTemplates.Render(message.Kind, recipient.Locale, facts),
                cancel
            );
            return new Outcome.Sent(MaskedAddress.Of(recipient.Address));
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return new Outcome.Failed("contact_unavailable", Cause(exception));
        }
        catch (Exception exception)
            when (exception is DaprException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return new Outcome.Failed("smtp_unavailable", Cause(exception));
        }
        catch (Exception exception) when (exception is not NpgsqlException && !cancel.IsCancellationRequested)
        {
            // An answer that is none, a contact without an address: this message's own trouble, not that of the others.
            return new Outcome.Failed("not_sendable", Cause(exception));
        }
    }

    /// <summary>What kind of failure it is. Its message is a server's and may name the reader or the mail.</summary>
    private static string Cause(Exception exception) =>
        exception switch
        {
            HttpRequestException { StatusCode: { } status } => $"HTTP {(int)status}",
            DaprException { InnerException: RpcException rpc } => $"gRPC {rpc.StatusCode}",
            _ => exception.GetType().Name,
        };

    private async Task FinishAsync(Due message, Outcome outcome, CancellationToken cancel)
    {
        var pause = outcome is Outcome.Failed ? Backoff.After(message.Attempts) : null;
        var (state, code) = outcome switch
        {
            Outcome.Sent => ("sent", null),
            Outcome.Skipped skipped => ("skipped", skipped.Code),
            Outcome.Failed failed => (pause is null ? "dead" : "pending", failed.Code),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var now = time.GetUtcNow();
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(
            Sql.Finish,
            new
            {
                message.NotificationId,
                message.Attempts,
                State = state,
                DueAt = state == "pending" ? (now + pause)?.UtcDateTime : null,
                LastError = code,
                MaskedAddress = (outcome as Outcome.Sent)?.MaskedAddress,
                SentAt = outcome is Outcome.Sent ? now.UtcDateTime : (DateTime?)null,
            }
        );
        await db.CommitAsync();
        Telemetry.Tried(message.Kind, state);
        if (state == "sent")
        {
            Telemetry.Sent(now - message.CreatedAt);
        }

        Tell(message, outcome, dead: state == "dead");
    }

    private void Tell(Due message, Outcome outcome, bool dead)
    {
        switch (outcome)
        {
            case Outcome.Sent:
                log.Sent(message.NotificationId);
                break;
            case Outcome.Skipped skipped:
                log.Skipped(message.NotificationId, skipped.Code);
                break;
            case Outcome.Failed failed when dead:
                log.GivenUp(message.NotificationId, failed.Code);
                break;
            case Outcome.Failed failed:
                log.Failed(message.NotificationId, failed.Code, message.Attempts, failed.Cause);
                break;
        }
    }

    private abstract record Outcome
    {
        private Outcome() { }

        public sealed record Sent(string MaskedAddress) : Outcome;

        public sealed record Skipped(string Code) : Outcome;

        public sealed record Failed(string Code, string Cause = "") : Outcome;
    }

    private sealed record Due(
        NotificationId NotificationId,
        MerchantId MerchantId,
        string Kind,
        GiftCardId? GiftCardId,
        RedemptionId? RedemptionId,
        WebhookId? WebhookId,
        long? Amount,
        string? Currency,
        int Attempts,
        DateTimeOffset CreatedAt
    )
    {
        public Money? Money =>
            Amount is { } amount && Currency is { } currency
                ? new Money(amount, Kernel.Currency.Parse(currency))
                : null;
    }

    private sealed record Holder(MerchantId MerchantId, CustomerId? CustomerId, string Last4);

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
            RETURNING n.notification_id, n.merchant_id, n.kind, n.gift_card_id, n.redemption_id, n.webhook_id, n.amount,
                   n.currency, n.attempts, n.created_at
            """;

        // A claim is known by its end: one that was finished, or taken by another, has another one.
        public const string Renew = """
            UPDATE notifications
               SET due_at = @LeaseUntil
             WHERE notification_id = ANY(@Ids)
               AND state = 'pending'
               AND due_at = @Held
            """;

        public const string Holder = """
            SELECT merchant_id, customer_id, last4
              FROM card_holders
             WHERE gift_card_id = @GiftCardId
            """;

        // A claim that ran out meanwhile belongs to somebody else, who counted an attempt more.
        public const string Finish = """
            UPDATE notifications
               SET state = @State,
                   due_at = @DueAt,
                   last_error = @LastError,
                   masked_address = COALESCE(@MaskedAddress, masked_address),
                   sent_at = COALESCE(@SentAt, sent_at)
             WHERE notification_id = @NotificationId
               AND state = 'pending'
               AND attempts = @Attempts
            """;
    }
}
