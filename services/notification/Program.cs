using LocalPlus.Hosting;
using LocalPlus.Notification;
using LocalPlus.Notification.Events;
using LocalPlus.Notification.Intake;
using LocalPlus.Notification.Mails;
using LocalPlus.Notification.Webhooks;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("notification");
builder.Services.AddSingleton(_ => new Recipients(PeerClient.Create("wallet"), PeerClient.Create("merchant")));
builder.Services.AddSingleton(_ => new CardDeliveries(PeerClient.Create("giftcard")));
builder.Services.AddSingleton<SmtpBinding>();
builder.Services.AddHostedService<MailSender>();
builder.Services.AddMailWatches();
builder.AddWebhooks();

var app = builder.Build();
app.UseLocalPlus();
var merchants = app.MapMerchantApi();
merchants.MapListNotifications();
merchants.MapListEvents().MapGetEvent();
merchants.MapWebhooks();
app.MapOperatorApi().MapResendNotification();
var events = new KeptTopics(app.MapEvents());
events.MapEvent<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync);
events.MapEvents<OnRedemptionEvent.Data>("giftcard.redemptions.v1", OnRedemptionEvent.HandleAsync);
events.MapEvent<OnMerchantOnboarded.Data>("merchant.onboarded.v1", OnMerchantOnboarded.HandleAsync);
events.MapEvents("ledger.transactions.v1");
return await app.RunLocalPlusAsync(args);
