using LocalPlus.Hosting;
using LocalPlus.Ledger;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Audit;
using LocalPlus.Ledger.Entries;
using LocalPlus.Ledger.Grpc;
using LocalPlus.Ledger.Holds;
using LocalPlus.Ledger.Proof;
using LocalPlus.Ledger.Reconciliation;
using LocalPlus.Ledger.Transactions;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("ledger");
if (AuditCommand.Knows(args))
{
    return await AuditCommand.RunAsync(args, builder.Configuration, Console.Out, CancellationToken.None);
}

builder.Services.AddLedger();

var app = builder.Build();
app.UseLocalPlus();
app.MapGrpcService<LedgerGrpc>().RequirePort(Port.App);
var v1 = app.MapMerchantApi();
v1.MapOpenAccount().MapGetAccount().MapListAccounts().MapChangeAccount().MapGetBalance();
v1.MapListEntries().MapExportEntries().MapGetStatement().MapGetTransaction().MapListTransactions();
v1.MapPostTransaction().MapPostBulk().MapEarnAndBurn().MapReverseTransaction();
v1.MapPlaceHold().MapGetHold().MapSettleHold().MapGetReceipt().MapCheckpoints();
app.MapOperatorApi().MapProveBooks().MapFindings();
return await app.RunLocalPlusAsync(args);
