using Google.Protobuf.WellKnownTypes;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Grpc;

internal static class EntryMessage
{
    public static Entry Of(EntryRow row) => new()
    {
        EntryId = new EntryId(row.EntryId).ToString(),
        TransactionId = new TransactionId(row.TransactionId).ToString(),
        AccountId = new AccountId(row.AccountId).ToString(),
        Amount = row.Amount,
        BalanceAfter = row.BalanceAfter,
        Sequence = row.Sequence,
        EffectiveAt = row.EffectiveAt.ToTimestamp(),
        RecordedAt = row.RecordedAt.ToTimestamp(),
    };
}
