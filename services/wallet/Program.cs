using LocalPlus.Hosting;
using LocalPlus.Wallet;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Reconciliation;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("wallet");
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddCustomers(builder.Configuration);
builder.AddLedger();
builder.Services.AddLoyalty();
builder.Services.AddReconciliation();

var app = builder.Build();
app.UseLocalPlus();
app.MapMerchantApi().MapCustomers().MapErasure().MapGetCustomerWallet().MapLoyalty();
app.MapOperatorApi().MapListReconciliations().MapListAttention().MapErasureOperations();
app.MapInternal().MapFindCustomer().MapFindOrAddCustomer().MapGetCustomerContact().MapRedemptionPoints();
var events = app.MapEvents();
events.MapEvents<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync);
events.MapEvents<OnLedgerTransaction.Data>(
    "ledger.transactions.v1",
    OnLedgerTransaction.HandleAsync,
    Repeats.AreHarmless
);
return await app.RunLocalPlusAsync(args);
