using LocalPlus.Hosting;
using LocalPlus.Wallet;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Grpc;
using LocalPlus.Wallet.Ledger;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Reconciliation;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("wallet");
builder.Services.AddAudit(AuditTrail.Topic);
builder.Services.AddRequestLog(RequestTrail.Topic);
builder.Services.AddBalances();
builder.Services.AddCustomers(builder.Configuration);
builder.AddLedger();
builder.Services.AddLoyalty();
builder.Services.AddReconciliation();

var app = builder.Build();
app.UseLocalPlus();
app.MapGrpcService<WalletGrpc>().RequirePort(Port.App);
app.MapMerchantApi().MapCustomers().MapErasure().MapGetCustomerWallet().MapListWalletDays().MapLoyalty();
app.MapOperatorApi().MapListReconciliations().MapListAttention().MapErasureOperations();
app.MapInternal().MapFindCustomer().MapFindOrAddCustomer().MapGetCustomerContact().MapRedemptionPoints();
app.MapEvents().MapBalanceEvents().MapProgramEvents();
return await app.RunLocalPlusAsync(args);
