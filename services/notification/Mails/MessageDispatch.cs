using Dapr;
using Grpc.Core;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Bounces;
using LocalPlus.Notification.Readers;
using LocalPlus.Notification.Templates;
using MailKit.Net.Smtp;
using Npgsql;

namespace LocalPlus.Notification.Mails;

/// <summary>
/// One attempt to send a message: finds out who is to get it and whether they want it now, renders it and hands it
/// over.
/// </summary>
internal sealed class MessageDispatch(
    Database database,
    Recipients recipients,
    CardDeliveries deliveries,
    SendGate gate,
    AddressRehash hashes,
    UnsubscribeTokens tokens,
    SentTokens sent,
    TemplateStore templates,
    MailServer mails,
    SmsBinding sms,
    TimeProvider time,
    ILogger<MessageDispatch> log
)
{
    public async Task<SendOutcome> SendAsync(DueMessage message, CancellationToken cancel)
    {
        (Outgoing Message, DateTimeOffset At)? counted = null;
        Reader? reader = null;
        if (message.ExpiresAt <= time.GetUtcNow())
        {
            return new SendOutcome.Skipped("card_expired");
        }

        try
        {
            (reader, var skipped) = await ReaderOfAsync(message, cancel);
            if (reader is null)
            {
                return skipped!;
            }

            var carried = message is { Kind: NotificationKinds.GiftCardDelivery, GiftCardId: { } card }
                ? await deliveries.OfAsync(card, cancel)
                : null;
            if (carried is null && message.Kind == NotificationKinds.GiftCardDelivery)
            {
                return new SendOutcome.Skipped("delivery_gone");
            }

            if (reader.Outgoing is { } outgoing)
            {
                var asked = time.GetUtcNow();
                switch (await gate.AskAsync(outgoing, cancel))
                {
                    case GateAnswer.Closed closed:
                        return new SendOutcome.Skipped(closed.Code);
                    case GateAnswer.NotYet later when message.Deferrals >= ReaderLimits.Deferrals:
                        return new SendOutcome.Skipped(later.Code);
                    case GateAnswer.NotYet later:
                        return new SendOutcome.Deferred(later.Code, later.Until);
                }

                counted = (outgoing, asked);
            }

            return message.Channel == Channels.Sms
                ? await SendSmsAsync(message, reader, cancel)
                : await SendMailAsync(message, reader, carried, cancel);
        }
        catch (SmtpCommandException refusal) when (MailServer.IsBounce(refusal))
        {
            return new SendOutcome.Bounced((int)refusal.StatusCode, reader!.Outgoing, reader.Customer, reader.Address);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException
                && counted is null
                && !cancel.IsCancellationRequested
            )
        {
            return new SendOutcome.Failed("contact_unavailable", Cause(exception), counted);
        }
        catch (Exception exception)
            when ((exception is SmtpCommandException or OperationCanceledException || MailServer.IsAway(exception))
                && message.Channel == Channels.Mail
                && !cancel.IsCancellationRequested
            )
        {
            return new SendOutcome.Failed("smtp_unavailable", Cause(exception), counted);
        }
        catch (Exception exception)
            when (exception is DaprException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return new SendOutcome.Failed("sms_unavailable", Cause(exception), counted);
        }
        catch (Exception exception) when (exception is not NpgsqlException && !cancel.IsCancellationRequested)
        {
            // An answer that is none, a contact without an address: this message's own trouble, not that of the others.
            return new SendOutcome.Failed("not_sendable", Cause(exception), counted);
        }
    }

    private async Task<(Reader?, SendOutcome?)> ReaderOfAsync(DueMessage message, CancellationToken cancel)
    {
        if (message.GiftCardId is not { } card)
        {
            return await MerchantAsync(message, cancel) is { } own
                ? (own, null)
                : (null, new SendOutcome.Skipped("recipient_unknown"));
        }

        var holder = await database.QuerySingleOrDefaultAsync<Holder>(Sql.Holder, new { GiftCardId = card }, cancel);
        if (holder is null)
        {
            return (null, new SendOutcome.Failed("card_unknown"));
        }

        if (holder.CustomerId is not { } customer)
        {
            return (null, new SendOutcome.Skipped("card_of_nobody"));
        }

        var contact = await recipients.OfHolderAsync(customer, holder.MerchantId, message.MerchantId, cancel);
        if (contact is null)
        {
            return (null, new SendOutcome.Skipped("recipient_unknown"));
        }

        if (contact.At(message.Channel) is not { } address)
        {
            return (null, new SendOutcome.Skipped("no_phone_number"));
        }

        var hash = await hashes.OfAsync(message.MerchantId, message.Channel, address, cancel);
        // What a reader wants is kept by where it reads mails, whichever way a message takes.
        var wishes =
            message.Channel == Channels.Mail
                ? hash
                : await hashes.OfAsync(message.MerchantId, Channels.Mail, contact.Address, cancel);
        return (
            new Reader(
                address,
                contact,
                customer,
                holder.Last4,
                new Outgoing(message.MerchantId, message.Kind, message.Channel, hash, wishes, contact.TimeZone)
            ),
            null
        );
    }

    /// <summary>The merchant, at its own address or, for a sample, at the one its customers know.</summary>
    private async Task<Reader?> MerchantAsync(DueMessage message, CancellationToken cancel)
    {
        var contact = await recipients.OfMerchantAsync(message.MerchantId, cancel);
        var address = message.SampleTo == "support" ? contact?.Support : contact?.Address;
        return address is null ? null : new Reader(address, contact!, Customer: null, Last4: null, Outgoing: null);
    }

    private async Task<SendOutcome> SendMailAsync(
        DueMessage message,
        Reader reader,
        CardDelivery? carried,
        CancellationToken cancel
    )
    {
        var isSample = message.Kind == NotificationKinds.TemplateTest;
        var (kind, locale) = isSample
            ? (message.SampleKind!, message.SampleLocale!)
            : (message.Kind, TemplateKinds.LocaleOf(reader.Contact.Locale));
        var unsubscribe = reader is { Outgoing: { IsUrgent: false } outgoing, Customer: { } customer }
            ? tokens.LinkOf(new(message.MerchantId, customer, outgoing.AddressHash, message.Kind))
            : null;
        var facts = isSample
            ? TemplateSamples.Facts(kind, reader.Contact.Shop, reader.Contact.Support)
            : FactsOf(message, reader, carried) with
            {
                Unsubscribe = unsubscribe,
            };
        var own = await OwnAsync(message.MerchantId, kind, locale, cancel);
        var mail = Rendered(message, kind, own, text => MailTemplates.Render(kind, locale, facts, text));
        mail = isSample ? mail with { Subject = $"[Test] {mail.Subject}" } : mail;
        var token = sent.Of(message.NotificationId);
        using var composed = MailMessages.Compose(
            token,
            mails.From,
            reader.Address,
            mail,
            time.GetUtcNow(),
            unsubscribe,
            CardFiles.Of(facts, locale, message.GiftCardId?.ToString() ?? message.NotificationId.ToString())
        );
        await mails.SendAsync(composed, token, cancel);
        return new SendOutcome.Sent(MaskedAddress.Of(reader.Address), reader.Outgoing?.AddressHash);
    }

    private async Task<SendOutcome> SendSmsAsync(DueMessage message, Reader reader, CancellationToken cancel)
    {
        var locale = TemplateKinds.LocaleOf(reader.Contact.Locale);
        var facts = FactsOf(message, reader, carried: null);
        var own = await OwnAsync(message.MerchantId, message.Kind, locale, cancel);
        var text = Rendered(
            message,
            message.Kind,
            own,
            template => MailTemplates.RenderSms(message.Kind, locale, facts, template)
        );
        if (text is null)
        {
            return new SendOutcome.Skipped("not_by_sms");
        }

        await sms.SendAsync(reader.Address, text, message.NotificationId, cancel);
        return new SendOutcome.Sent(SmsNumbers.Mask(reader.Address), reader.Outgoing?.AddressHash);
    }

    private static MailFacts FactsOf(DueMessage message, Reader reader, CardDelivery? carried) =>
        new(
            reader.Contact.Shop,
            reader.Contact.Name,
            reader.Last4,
            carried?.Amount ?? message.Money,
            message.RedemptionId?.ToString() ?? message.WebhookId?.ToString(),
            carried,
            // LocalPlus's own messages to a merchant do not send it to itself.
            message.GiftCardId
                is null
                ? null
                : reader.Contact.Support,
            ExpiresAt: message.ExpiresAt
        );

    private async Task<TemplateText?> OwnAsync(
        MerchantId merchant,
        string kind,
        string locale,
        CancellationToken cancel
    ) => TemplateKinds.IsKnown(kind, locale) ? (await templates.FindAsync(merchant, kind, locale, cancel))?.Own : null;

    /// <summary>A template that can not be rendered any more keeps no message back.</summary>
    private T Rendered<T>(DueMessage message, string kind, TemplateText? own, Func<TemplateText?, T> render)
    {
        try
        {
            return render(own);
        }
        catch (Exception exception) when (own is not null && exception is FormatException or TemplateTooCostlyException)
        {
            log.TemplateFailed(message.NotificationId, message.MerchantId, kind, exception.GetType().Name);
            return render(null);
        }
    }

    /// <summary>What kind of failure it is. Its message is a server's and may name the reader or the mail.</summary>
    private static string Cause(Exception exception) =>
        exception switch
        {
            HttpRequestException { StatusCode: { } status } => $"HTTP {(int)status}",
            DaprException { InnerException: RpcException rpc } => $"gRPC {rpc.StatusCode}",
            SmtpCommandException refusal => $"SMTP {(int)refusal.StatusCode}",
            _ => exception.GetType().Name,
        };

    /// <param name="Outgoing">What is asked about a holder; null for a merchant.</param>
    private sealed record Reader(
        string Address,
        Recipient Contact,
        CustomerId? Customer,
        string? Last4,
        Outgoing? Outgoing
    );

    private sealed record Holder(MerchantId MerchantId, CustomerId? CustomerId, string Last4);

    private static class Sql
    {
        public const string Holder = """
            SELECT merchant_id, customer_id, last4
              FROM card_holders
             WHERE gift_card_id = @GiftCardId
            """;
    }
}
