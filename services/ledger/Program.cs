using LocalPlus.Hosting;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Core;
using LocalPlus.Ledger.Grpc;
using LocalPlus.Ledger.Proof;
using LocalPlus.Ledger.Transactions;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("ledger");
builder.Services.AddSingleton<BatchWriter>();
builder.Services.AddSingleton<CommandQueue>();
builder.Services.AddHostedService(services => services.GetRequiredService<CommandQueue>());
builder.Services.AddHostedService<HoldSweeper>();
builder.Services.AddGrpc();

var app = builder.Build();
app.UseLocalPlus();
app.MapGrpcService<LedgerGrpc>().RequirePort(Port.App);
var v1 = app.MapMerchantApi();
v1.MapOpenAccount().MapGetAccount().MapListAccounts().MapListEntries();
v1.MapPostTransaction().MapGetTransaction().MapReverseTransaction();
app.MapOperatorApi().MapProveBooks();
return await app.RunLocalPlusAsync(args);
