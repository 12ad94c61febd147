using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// The ledger's contract in memory: balances, holds, reversals and stored answers, one thing at a time. A test may
/// silence it before or after the effect of a call, as a crash would.
/// </summary>
internal sealed partial class FakeLedger : LedgerService.LedgerServiceBase
{
    private static readonly Fault Insufficient = new("insufficient_balance", 422, "Not enough");
    private static readonly Fault HoldExpired = new("hold_expired", 409, "Expired");
    private static readonly Fault HoldNotPending = new("hold_not_pending", 409, "Not pending");
    private static readonly Fault ReversalExceeds = new("reversal_exceeds_original", 422, "Too much");

    private readonly Lock gate = new();
    private readonly Dictionary<string, Account> accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Hold> holds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Transaction> transactions = new(StringComparer.Ordinal);
    private readonly Dictionary<
        (string Operation, string Key),
        (ByteString Request, object? Answer, RpcException? Refusal)
    > answers = [];
    private readonly ConcurrentDictionary<string, int> calls = new(StringComparer.Ordinal);

    /// <summary>Calls with these operation names are not answered, and have no effect.</summary>
    public ConcurrentDictionary<string, bool> DeafTo { get; } = new(StringComparer.Ordinal);

    /// <summary>Calls with these operation names have their effect, but their answer is lost.</summary>
    public ConcurrentDictionary<string, bool> MuteAfter { get; } = new(StringComparer.Ordinal);

    /// <summary>Calls with these operation names are refused with what nobody expects, and have no effect.</summary>
    public ConcurrentDictionary<string, Fault> RefuseWith { get; } = new(StringComparer.Ordinal);

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public int Calls(string operation) => calls.GetValueOrDefault(operation);

    /// <summary>Sum over all accounts: nothing is ever made or lost.</summary>
    public long Total()
    {
        lock (gate)
        {
            return accounts.Values.Sum(a => a.Posted);
        }
    }

    public Account AccountNamed(string merchant, string name)
    {
        lock (gate)
        {
            return accounts.Values.Single(a => a.MerchantId == merchant && a.Name == name).Clone();
        }
    }

    public IReadOnlyList<string> Names(string merchant)
    {
        lock (gate)
        {
            return [.. accounts.Values.Where(a => a.MerchantId == merchant).Select(a => a.Name)];
        }
    }

    public IReadOnlyList<Hold> HoldsOf(string redemption)
    {
        lock (gate)
        {
            return [.. holds.Values.Where(h => h.Reference == redemption).Select(h => h.Clone())];
        }
    }

    /// <summary>How often value was taken for a redemption, by a hold or at once.</summary>
    public int TimesTaken(string redemption)
    {
        lock (gate)
        {
            return holds.Values.Count(h => h.Reference == redemption)
                + transactions.Values.Count(t => t.Reference == redemption);
        }
    }

    /// <summary>What the ledger's own clock does to a hold.</summary>
    public void Expire(string redemption)
    {
        lock (gate)
        {
            foreach (var hold in holds.Values.Where(h => h.Reference == redemption && h.State == HoldState.Pending))
            {
                Free(hold, HoldState.Expired);
            }
        }
    }

    public override Task<OpenAccountsResponse> OpenAccounts(OpenAccountsRequest request, ServerCallContext context) =>
        Answer(
            "open",
            null,
            request,
            () =>
            {
                var response = new OpenAccountsResponse();
                foreach (var open in request.Accounts)
                {
                    var account = accounts.Values.FirstOrDefault(a =>
                        a.MerchantId == request.MerchantId && a.Name == open.Name && a.Asset == open.Asset
                    );
                    if (account is null)
                    {
                        account = new Account
                        {
                            AccountId = open.AccountId,
                            MerchantId = request.MerchantId,
                            Name = open.Name,
                            Asset = open.Asset,
                            Policy = open.Policy,
                            Status = AccountStatus.Open,
                            Striped = open.Striped,
                        };
                        accounts.Add(account.AccountId, account);
                    }

                    response.Accounts.Add(account.Clone());
                }

                return response;
            }
        );

    public override Task<GetAccountsResponse> GetAccounts(GetAccountsRequest request, ServerCallContext context) =>
        Answer(
            "get_accounts",
            null,
            request,
            () =>
            {
                var response = new GetAccountsResponse();
                response.Accounts.AddRange(request.AccountIds.Select(id => Owned(request.MerchantId, id).Clone()));
                return response;
            }
        );

    public override Task<PostTransactionResponse> PostTransaction(
        PostTransactionRequest request,
        ServerCallContext context
    ) =>
        Answer(
            "post",
            request.IdempotencyKey,
            request,
            () => Post(request.MerchantId, request.Reference, request.Kind, [.. request.Postings])
        );

    public override Task<PostTransactionResponse> ReverseTransaction(
        ReverseTransactionRequest request,
        ServerCallContext context
    ) =>
        Answer(
            "reverse",
            request.IdempotencyKey,
            request,
            () =>
            {
                var original = transactions[request.TransactionId];
                var reversed = transactions
                    .Values.Where(t => t.ReversesTransactionId == request.TransactionId)
                    .SelectMany(t => t.Postings)
                    .ToList();
                foreach (var posting in request.Postings)
                {
                    var was = original
                        .Postings.Where(p => p.SourceAccountId == posting.DestinationAccountId)
                        .Sum(p => p.Amount);
                    var already = reversed
                        .Where(p => p.DestinationAccountId == posting.DestinationAccountId)
                        .Sum(p => p.Amount);
                    if (already + posting.Amount > was)
                    {
                        throw new FaultException(ReversalExceeds, "More than the original.");
                    }
                }

                var response = Post(request.MerchantId, request.Reference, request.Kind, [.. request.Postings]);
                transactions[response.Transaction.TransactionId].ReversesTransactionId = request.TransactionId;
                return response;
            }
        );

    public override Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context) =>
        Answer(
            "place",
            request.IdempotencyKey,
            request,
            () =>
            {
                if (request.Sources.Count is 0 or > 20)
                {
                    throw new FaultException(CommonFaults.InvalidRequest, "A hold has 1 to 20 sources.");
                }

                var hold = new Hold
                {
                    HoldId = HoldId.New(Time).ToString(),
                    MerchantId = request.MerchantId,
                    Reference = request.Reference,
                    State = HoldState.Pending,
                    Requested = request.Amount,
                    ExpiresAt = request.ExpiresAt,
                };
                var left = request.Amount;
                foreach (var source in request.Sources)
                {
                    var account = Owned(request.MerchantId, source.AccountId);
                    var take = Math.Min(
                        left,
                        source.MaxAmount == 0 ? account.Available : Math.Min(source.MaxAmount, account.Available)
                    );
                    hold.Items.Add(
                        new HoldItem
                        {
                            AccountId = source.AccountId,
                            Held = take,
                            AvailableAfter = account.Available - take,
                        }
                    );
                    left -= take;
                }

                hold.Held = request.Amount - left;
                if (hold.Held == 0 || left > 0 && !request.AllowPartial)
                {
                    throw new FaultException(Insufficient, "Not enough.");
                }

                foreach (var item in hold.Items)
                {
                    Change(item.AccountId, 0, item.Held);
                }

                holds.Add(hold.HoldId, hold);
                return new HoldResponse
                {
                    Hold = (request.Capture is { } capture ? Capture(hold, hold.Held, capture) : hold).Clone(),
                };
            }
        );

    public override Task<HoldResponse> CaptureHold(CaptureHoldRequest request, ServerCallContext context) =>
        Answer(
            "capture",
            request.IdempotencyKey,
            request,
            () =>
            {
                var hold = Pending(request.HoldId);
                return new HoldResponse
                {
                    Hold = Capture(hold, request.Amount == 0 ? hold.Held : request.Amount, request.Capture).Clone(),
                };
            }
        );

    public override Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context) =>
        Answer(
            "release",
            request.IdempotencyKey,
            request,
            () =>
            {
                var hold = Pending(request.HoldId);
                Free(hold, HoldState.Released);
                return new HoldResponse { Hold = hold.Clone() };
            }
        );

    public override Task<HoldResponse> ExtendHold(ExtendHoldRequest request, ServerCallContext context) =>
        Answer(
            "extend",
            request.IdempotencyKey,
            request,
            () =>
            {
                var hold = Pending(request.HoldId);
                if (request.ExpiresAt <= hold.ExpiresAt)
                {
                    throw new FaultException(CommonFaults.InvalidRequest, "A hold is extended beyond its end.");
                }

                hold.ExpiresAt = request.ExpiresAt;
                return new HoldResponse { Hold = hold.Clone() };
            }
        );

    public override Task<HoldResponse> GetHold(GetHoldRequest request, ServerCallContext context) =>
        Answer(
            "get_hold",
            null,
            request,
            () =>
                new HoldResponse
                {
                    Hold = (
                        holds.Values.FirstOrDefault(h => h.HoldId == request.HoldId || h.Reference == request.Reference)
                        ?? throw new FaultException(CommonFaults.NotFound, "No such hold.")
                    ).Clone(),
                }
        );

    private Task<T> Answer<T>(string operation, string? key, IMessage request, Func<T> act)
        where T : class
    {
        lock (gate)
        {
            calls.AddOrUpdate(operation, 1, (_, n) => n + 1);
            if (DeafTo.ContainsKey(operation))
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "deaf"));
            }

            if (RefuseWith.TryGetValue(operation, out var refusal))
            {
                throw new FaultException(refusal, "Refused.").ToRpcException();
            }

            var answer = Once(operation, key, request.ToByteString(), act);
            return MuteAfter.ContainsKey(operation)
                ? throw new RpcException(new Status(StatusCode.Unavailable, "mute"))
                : Task.FromResult(answer);
        }
    }

    private T Once<T>(string operation, string? key, ByteString request, Func<T> act)
        where T : class
    {
        if (key is not null && answers.TryGetValue((operation, key), out var known))
        {
            return request != known.Request
                    ? throw new FaultException(CommonFaults.IdempotencyKeyReused, "Another request.").ToRpcException()
                : known.Refusal is null ? (T)known.Answer!
                : throw known.Refusal;
        }

        try
        {
            var answer = act();
            Remember(operation, key, (request, answer, null));
            return answer;
        }
        catch (FaultException fault)
        {
            var refusal = fault.ToRpcException();
            Remember(operation, key, (request, null, refusal));
            throw refusal;
        }
    }

    private void Remember(string operation, string? key, (ByteString, object?, RpcException?) answer)
    {
        if (key is not null)
        {
            answers[(operation, key)] = answer;
        }
    }

    private PostTransactionResponse Post(string merchant, string reference, string kind, Posting[] postings)
    {
        foreach (var source in postings.GroupBy(p => p.SourceAccountId))
        {
            var account = Owned(merchant, source.Key);
            if (account.Policy != AccountPolicy.Unbounded && account.Available < source.Sum(p => p.Amount))
            {
                throw new FaultException(Insufficient, "Not enough.");
            }
        }

        var transaction = new Transaction
        {
            TransactionId = TransactionId.New(Time).ToString(),
            MerchantId = merchant,
            Reference = reference,
            Kind = kind,
        };
        transaction.Postings.AddRange(postings);
        transactions.Add(transaction.TransactionId, transaction);
        foreach (var posting in postings)
        {
            Change(posting.SourceAccountId, -posting.Amount, 0);
            Change(posting.DestinationAccountId, posting.Amount, 0);
        }

        var response = new PostTransactionResponse { Transaction = transaction.Clone() };
        response.Accounts.AddRange(
            postings
                .SelectMany(p => new[] { p.SourceAccountId, p.DestinationAccountId })
                .Distinct()
                .Select(id => accounts[id].Clone())
        );
        return response;
    }

    private Hold Capture(Hold hold, long amount, HoldCapture capture)
    {
        Free(hold, HoldState.Captured);
        var left = amount;
        var postings = new List<Posting>();
        foreach (var item in hold.Items)
        {
            item.Captured = Math.Min(left, item.Held);
            left -= item.Captured;
            if (item.Captured > 0)
            {
                postings.Add(
                    new Posting
                    {
                        SourceAccountId = item.AccountId,
                        DestinationAccountId = capture.DestinationAccountId,
                        Amount = item.Captured,
                    }
                );
            }
        }

        postings.AddRange(capture.Postings);
        hold.Captured = amount;
        hold.TransactionId = Post(
            hold.MerchantId,
            $"{hold.HoldId}:capture",
            "capture",
            [.. postings]
        ).Transaction.TransactionId;
        foreach (var item in hold.Items)
        {
            item.AvailableAfter = accounts[item.AccountId].Available;
        }

        return hold;
    }

    private void Free(Hold hold, HoldState state)
    {
        hold.State = state;
        foreach (var item in hold.Items)
        {
            Change(item.AccountId, 0, -item.Held);
            item.AvailableAfter = accounts[item.AccountId].Available;
        }
    }

    private Hold Pending(string id) =>
        holds[id].State switch
        {
            HoldState.Pending => holds[id],
            HoldState.Expired => throw new FaultException(HoldExpired, "The hold has expired."),
            _ => throw new FaultException(HoldNotPending, "The hold is settled."),
        };

    private void Change(string id, long posted, long held)
    {
        var account = accounts[id];
        account.Posted += posted;
        account.Held += held;
        account.Available = account.Posted - account.Held;
        account.Version++;
    }

    private Account Owned(string merchant, string id) =>
        accounts.TryGetValue(id, out var account) && account.MerchantId == merchant
            ? account
            : throw new FaultException(CommonFaults.NotFound, "No such account.");
}
