using LocalPlus.Hosting;
using LocalPlus.Wallet;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Reconciliation;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("wallet");
builder.Services.AddSingleton(_ => new PersonalDataVault(builder.Configuration["Secrets:pii_key"]));
builder.Services.AddSingleton<CustomerStore>();
builder.AddLedger();
builder.Services.AddLoyalty();
builder.Services.AddReconciliation();

var app = builder.Build();
app.UseLocalPlus();
app.MapMerchantApi().MapCreateCustomer().MapGetCustomer().MapGetCustomerWallet().MapLoyalty();
app.MapOperatorApi().MapListReconciliations().MapListAttention();
app.MapInternal().MapFindCustomer().MapFindOrAddCustomer().MapGetCustomerContact().MapRedemptionPoints();
var events = app.MapEvents();
events.MapEvents<OnCardEvent.Data>("giftcard.cards.v1", OnCardEvent.HandleAsync);
events.MapEvents<OnLedgerTransaction.Data>(
    "ledger.transactions.v1",
    OnLedgerTransaction.HandleAsync,
    Repeats.AreHarmless
);
return await app.RunLocalPlusAsync(args);
