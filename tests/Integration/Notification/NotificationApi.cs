using LocalPlus.Kernel;
using LocalPlus.Notification.Mails;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>The notification service with a database, a sidecar and a mail server of its own.</summary>
public sealed class NotificationApi : IAsyncLifetime
{
    private readonly OperatorTokens operators = new();

    public TestDatabase Database { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    public StubSmtp Smtp { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("notification", typeof(Mail).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        Smtp = await StubSmtp.StartAsync();
        Service = await StartAsync();
    }

    /// <summary>The service anew, with what is said in place of what it had.</summary>
    public async Task RestartAsync(params (string Name, string Value)[] settings)
    {
        await Service.DisposeAsync();
        Service = await StartAsync(settings);
    }

    private Task<RunningService> StartAsync(params (string Name, string Value)[] settings) =>
        RunningService.StartAsync(
            typeof(Mail).Assembly.Location,
            Database,
            Sidecar.Port,
            Smtp.Port,
            [
                ("LP_JWKS", operators.JwksPath),
                ("LP_WEBHOOK_LOOPBACK", "allow"),
                ("LP_MAIL_BOUNCES", "bounces@mail.localplus.test"),
                Smtp.Setting,
                .. settings,
            ]
        );

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Smtp.DisposeAsync();
        await Database.DisposeAsync();
        operators.Dispose();
    }

    public string Operator(string role) => operators.Mint(role);

    /// <summary>A merchant that the merchant service knows, with a key for notifications.</summary>
    public (MerchantId Id, string Key) NewMerchant(string name, string locale = "en")
    {
        var id = MerchantId.New(TimeProvider.System);
        Sidecar.OnInvoke(
            "merchant",
            $"internal/merchants/{id}/contact",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            name,
                            locale,
                            contact_email = $"owner-{id}@shop.test",
                            support_email = $"help-{id}@shop.test",
                            country = "FR",
                        }
                    )
                )
        );
        return (id, Sidecar.IssueKey(id, "notifications:read", "notifications:write"));
    }

    /// <summary>
    /// A customer that the wallet knows; its address starts with its id, so that a test finds its mails.
    /// </summary>
    public CustomerId NewCustomer(string? name, string locale = "en", bool walletUp = true, string? phone = null)
    {
        var id = CustomerId.New(TimeProvider.System);
        var up = walletUp;
        Sidecar.OnInvoke(
            "wallet",
            $"internal/customers/{id}/contact",
            _ =>
                Task.FromResult(
                    up
                        ? Results.Json(
                            new
                            {
                                email = $"{id}@holder.test",
                                name,
                                locale,
                                phone,
                            }
                        )
                        : Results.StatusCode(503)
                )
        );
        return id;
    }

    public IEnumerable<BoundMail> MailsTo(object id) =>
        Smtp.Mails.Where(mail => mail.To.Contains(id.ToString()!, StringComparison.Ordinal));

    /// <summary>Waits for the one mail to somebody.</summary>
    public async Task<BoundMail> MailToAsync(object id)
    {
        await Eventually.TrueAsync(() => MailsTo(id).Any(), because: () => Service.Output);
        return Assert.Single(MailsTo(id));
    }

    /// <summary>An event of a card.</summary>
    public static TestEvent Card(
        string type,
        MerchantId shop,
        GiftCardId card,
        CustomerId? customer,
        long sequence = 1
    ) =>
        new(
            type,
            card.ToString(),
            sequence,
            shop,
            new
            {
                gift_card_id = card.ToString(),
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                amount = 5000,
                currency = "EUR",
                customer_id = customer?.ToString(),
            }
        );

    /// <summary>Tells of a new card of somebody's.</summary>
    public Task ActivateAsync(MerchantId shop, CustomerId holder) =>
        Service.DeliverAsync(
            "giftcard.cards.v1",
            Card("gift_card.activated", shop, GiftCardId.New(TimeProvider.System), holder)
        );
}
