using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>Services that die while they send, over one database.</summary>
public sealed class MailCrashTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Cards = "giftcard.cards.v1";

    [Fact]
    public async Task A_mail_whose_sender_died_on_the_way_comes_under_the_same_message_id_and_none_is_lost()
    {
        await using var database = await TestDatabase.CreateAsync("notification", typeof(Mail).Assembly);
        var (shop, _) = api.NewMerchant("Crash");
        CustomerId[] readers = [.. Enumerable.Range(0, 6).Select(_ => api.NewCustomer("Reader"))];
        var arrives = new TaskCompletionSource();
        api.Smtp.Hold = arrives.Task;
        try
        {
            await using (var first = await StartAsync(database))
            {
                foreach (var reader in readers)
                {
                    await first.DeliverAsync(
                        Cards,
                        NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), reader)
                    );
                }

                await Eventually.TrueAsync(async () =>
                    await database.ScalarAsync<long>("SELECT count(*) FROM notifications WHERE attempts = 1") > 0
                );
                await Eventually.TrueAsync(() => api.Smtp.Arriving > 0, because: () => first.Output);
                first.Kill();
            }
        }
        finally
        {
            arrives.SetResult();
            api.Smtp.Hold = Task.CompletedTask;
        }

        await using var second = await StartAsync(database);
        await Eventually.TrueAsync(
            async () =>
                await database.ScalarAsync<long>("SELECT count(*) FROM notifications WHERE state = 'sent'")
                == readers.Length,
            because: () => second.Output
        );

        foreach (var reader in readers)
        {
            var mails = api.MailsTo(reader).ToArray();
            Assert.InRange(mails.Length, 1, 2);
            Assert.Single(mails.Select(mail => mail.Message.MessageId).Distinct());
        }

        Assert.Equal(
            readers.Length,
            readers.SelectMany(reader => api.MailsTo(reader)).Select(mail => mail.Message.MessageId).Distinct().Count()
        );
    }

    [Fact]
    public async Task Two_senders_over_one_queue_send_each_mail_once()
    {
        await using var database = await TestDatabase.CreateAsync("notification", typeof(Mail).Assembly);
        var (shop, _) = api.NewMerchant("Twins");
        await using var first = await StartAsync(database);
        await using var second = await StartAsync(database);
        CustomerId[] readers = [.. Enumerable.Range(0, 60).Select(_ => api.NewCustomer("Reader"))];
        foreach (var (reader, service) in readers.Select((reader, n) => (reader, n % 2 == 0 ? first : second)))
        {
            await service.DeliverAsync(
                Cards,
                NotificationApi.Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), reader)
            );
        }

        await Eventually.TrueAsync(
            async () =>
                await database.ScalarAsync<long>("SELECT count(*) FROM notifications WHERE state = 'sent'")
                == readers.Length,
            because: () => first.Output + second.Output
        );

        Assert.All(readers, reader => Assert.Single(api.MailsTo(reader)));
    }

    private Task<ServiceProcess> StartAsync(TestDatabase database) =>
        ServiceProcess.StartAsync(
            typeof(Mail).Assembly.Location,
            database,
            api.Sidecar.Port,
            api.Smtp.Port,
            api.Smtp.Setting
        );
}
