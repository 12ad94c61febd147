using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Reconciliation;

/// <summary>What the ledger says is on an account, and how much of it is held.</summary>
/// <param name="Sequence">Of its last entry.</param>
/// <param name="Revision">Counts entries and changes of what is held.</param>
internal sealed record LedgerBalance(long Sequence, long Posted, long Held = 0, long Revision = 0);

/// <summary>Asks the ledger for balances, through Dapr.</summary>
internal sealed class LedgerBalances(LedgerService.LedgerServiceClient ledger, TimeProvider time)
{
    /// <summary>The ledger takes so many accounts in one question.</summary>
    public const int MaxAccounts = 100;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>The balances of a merchant's accounts; one that the ledger does not know is absent.</summary>
    public async Task<IReadOnlyDictionary<AccountId, LedgerBalance>> GetAsync(
        MerchantId merchant,
        IReadOnlyList<AccountId> accounts,
        CancellationToken cancel
    )
    {
        var found = new Dictionary<AccountId, LedgerBalance>();
        try
        {
            await AskAsync(merchant, accounts, found, cancel);
        }
        catch (RpcException refusal) when (IsLedgersWord(refusal) && accounts.Count == 1)
        {
            return found;
        }
        catch (RpcException refusal) when (IsLedgersWord(refusal))
        {
            // One unknown account refuses the whole question: the halves tell which.
            foreach (var half in accounts.Chunk((accounts.Count + 1) / 2))
            {
                foreach (var (account, balance) in await GetAsync(merchant, half, cancel))
                {
                    found[account] = balance;
                }
            }
        }

        return found;
    }

    /// <summary>Not found is said by sidecars too, of the ledger itself.</summary>
    private static bool IsLedgersWord(RpcException refusal) =>
        refusal.Trailers.GetValue(GrpcFaults.CodeTrailer) == CommonFaults.NotFound.Code;

    private async Task AskAsync(
        MerchantId merchant,
        IReadOnlyList<AccountId> accounts,
        Dictionary<AccountId, LedgerBalance> found,
        CancellationToken cancel
    )
    {
        var request = new GetAccountsRequest { MerchantId = merchant.ToString() };
        request.AccountIds.AddRange(accounts.Select(account => account.ToString()));
        var deadline = time.GetUtcNow().Add(Deadline).UtcDateTime;
        var response = await ledger.GetAccountsAsync(
            request,
            new CallOptions(deadline: deadline, cancellationToken: cancel)
        );
        foreach (var account in response.Accounts)
        {
            found[AccountId.Parse(account.AccountId)] = new LedgerBalance(
                account.Version,
                account.Posted,
                account.Held,
                account.Revision
            );
        }
    }
}
