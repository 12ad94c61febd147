using LocalPlus.Analytics;
using LocalPlus.Analytics.Intake;
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
app.MapMerchantApi().MapGetDailyReport().MapGetWalletReport().MapGetValueReport().MapGetValueChart();
var events = app.MapEvents();
events.MapEvents<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync, Repeats.AreHarmless);
events.MapEvents<OnRedemptionEvent.Data>("giftcard.redemptions.v1", OnRedemptionEvent.HandleAsync, Repeats.AreHarmless);
events.MapEvents<OnLedgerTransaction.Data>(
    "ledger.transactions.v1",
    OnLedgerTransaction.HandleAsync,
    Repeats.AreHarmless
);
events.MapEvents<OnWalletBalance.Data>("wallet.balance-updated.v1", OnWalletBalance.HandleAsync, Repeats.AreHarmless);
return await app.RunLocalPlusAsync(args);
