using LocalPlus.Analytics;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("analytics");
builder.Services.AddSingleton<ValueRollup>();
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddRequestLog(RequestTrail.Topic);
builder.Services.AddJob<AnalyticsRollup>("analytics-rollup");

var app = builder.Build();
app.UseLocalPlus();
app.MapAnalytics();
return await app.RunLocalPlusAsync(args);
