using LocalPlus.Hosting;
using LocalPlus.Notification;
using LocalPlus.Notification.Events;
using LocalPlus.Notification.Holders;
using LocalPlus.Notification.Intake;
using LocalPlus.Notification.Mails;
using LocalPlus.Notification.Webhooks;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("notification");
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddMails();
builder.AddWebhooks();

var app = builder.Build();
app.UseLocalPlus();
var merchants = app.MapMerchantApi();
merchants.MapListNotifications().MapListEvents().MapGetEvent();
merchants.MapWebhooks();
app.MapOperatorApi().MapResendNotification();
app.MapHolders();
var events = new KeptTopics(app.MapEvents());
events.MapEvent<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync);
events.MapEvents<OnRedemptionEvent.Data>("giftcard.redemptions.v1", OnRedemptionEvent.HandleAsync);
events.MapEvent<OnMerchantOnboarded.Data>("merchant.onboarded.v1", OnMerchantOnboarded.HandleAsync);
events.MapEvents("ledger.transactions.v1");
return await app.RunLocalPlusAsync(args);
