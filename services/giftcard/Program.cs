using LocalPlus.Giftcard;
using LocalPlus.Hosting;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("giftcard");
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddRequestLog(RequestTrail.Topic);
builder.AddGiftcard();
var app = builder.Build();
app.UseLocalPlus();
app.MapGiftcard();
return await app.RunLocalPlusAsync(args);
