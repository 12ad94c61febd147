using LocalPlus.Hosting;
using LocalPlus.Notification;
using LocalPlus.Notification.Events;
using LocalPlus.Notification.Holders;
using LocalPlus.Notification.Intake;
using LocalPlus.Notification.Mails;
using LocalPlus.Notification.Readers;
using LocalPlus.Notification.Templates;
using LocalPlus.Notification.Webhooks;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("notification");
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddRequestLog(RequestTrail.Topic);
builder.AddMails();
builder.AddReaders();
builder.AddWebhooks();

var app = builder.Build();
app.UseLocalPlus(UnsubscribeTokens.Path);
app.MapUnsubscribe();
var merchants = app.MapMerchantApi();
merchants.MapListNotifications().MapListEvents().MapGetEvent();
merchants.MapWebhooks();
merchants.MapTemplates().MapReaders();
app.MapOperatorApi().MapResendNotification().MapListAttention();
app.MapHolders();
app.MapIntake();
return await app.RunLocalPlusAsync(args);
