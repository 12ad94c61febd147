using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What is spent at once, several in a call, and found again by its reference.</summary>
internal sealed partial class FakeLedger
{
    public override Task<TransactionResponse> GetTransaction(
        GetTransactionRequest request,
        ServerCallContext context
    ) =>
        Answer(
            "get_transaction",
            null,
            request,
            () =>
                new TransactionResponse
                {
                    Transaction = (
                        transactions.Values.FirstOrDefault(t =>
                            t.TransactionId == request.TransactionId || t.Reference == request.Reference
                        ) ?? throw new FaultException(CommonFaults.NotFound, "No such transaction.")
                    ).Clone(),
                }
        );

    /// <summary>Silence is for the whole call, refusals for each of its operations.</summary>
    public override async Task<ExecuteBatchResponse> ExecuteBatch(
        ExecuteBatchRequest request,
        ServerCallContext context
    )
    {
        calls.AddOrUpdate("batch", 1, (_, n) => n + 1);
        var response = new ExecuteBatchResponse();
        foreach (var operation in request.Operations)
        {
            response.Outcomes.Add(await OutcomeAsync(operation.Spend));
        }

        return response;
    }

    private async Task<Outcome> OutcomeAsync(SpendRequest request)
    {
        try
        {
            return new() { Spend = await Answer("spend", request.IdempotencyKey, request, () => Spend(request)) };
        }
        catch (RpcException refusal) when (refusal.Trailers.GetValue(GrpcFaults.CodeTrailer) is { } code)
        {
            return new()
            {
                Refusal = new() { Code = code, Detail = refusal.Status.Detail },
            };
        }
    }

    private SpendResponse Spend(SpendRequest request)
    {
        if (request.Sources.Count is 0 or > 20)
        {
            throw new FaultException(CommonFaults.InvalidRequest, "What is spent has 1 to 20 sources.");
        }

        var left = request.Amount;
        var postings = new List<Posting>();
        foreach (var source in request.Sources)
        {
            var account = Owned(request.MerchantId, source.AccountId);
            var take = Math.Min(
                left,
                source.HasMaxAmount ? Math.Min(source.MaxAmount, account.Available) : account.Available
            );
            left -= take;
            if (take > 0)
            {
                postings.Add(
                    new Posting
                    {
                        SourceAccountId = source.AccountId,
                        DestinationAccountId = request.DestinationAccountId,
                        Amount = take,
                    }
                );
            }
        }

        if (postings.Count == 0 || left > 0 && !request.AllowPartial)
        {
            throw new FaultException(Insufficient, "Not enough.");
        }

        var given = postings.ToDictionary(p => p.SourceAccountId, p => p.Amount);
        var share = request
            .Sources.GroupBy(s => s.ShareBasisPoints, s => given.GetValueOrDefault(s.AccountId))
            .Sum(rate => rate.Sum() * rate.Key / 10_000);
        if (share > 0)
        {
            postings.Add(
                new Posting
                {
                    SourceAccountId = request.DestinationAccountId,
                    DestinationAccountId = request.ShareAccountId,
                    Amount = share,
                }
            );
        }

        var posted = Post(request.MerchantId, request.Reference, "capture", [.. postings]).Transaction;
        var spent = new Spent
        {
            TransactionId = posted.TransactionId,
            Reference = request.Reference,
            Requested = request.Amount,
            Amount = request.Amount - left,
            Share = share,
        };
        spent.Items.AddRange(
            request.Sources.Select(s => new SpentItem
            {
                AccountId = s.AccountId,
                Amount = given.GetValueOrDefault(s.AccountId),
                AvailableAfter = accounts[s.AccountId].Available,
            })
        );
        return new SpendResponse { Spent = spent };
    }
}
