using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Core;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// POST /v1/transactions/{id}/reverse: takes a transaction back, whole, or the postings named. 201, or 422
/// reversal_exceeds_original, insufficient_balance.
/// </summary>
internal static class ReverseTransaction
{
    public static IEndpointRouteBuilder MapReverseTransaction(this IEndpointRouteBuilder group)
    {
        group.MapPost("/transactions/{id}/reverse", Handle).RequireScope("ledger:write");
        return group;
    }

    private static async Task<IResult> Handle(TransactionId id, Request request, HttpContext http, CommandQueue queue, CancellationToken cancel)
    {
        var message = new Proto.ReverseTransactionRequest
        {
            MerchantId = http.GetMerchant().MerchantId.ToString(),
            IdempotencyKey = IdempotentRequests.Key(http),
            TransactionId = id.ToString(),
            Reference = request.Reference,
            Kind = "reversal",
        };
        message.Postings.AddRange((request.Postings ?? []).Select(posting => posting.ToProto()));
        var answer = Proto.PostTransactionResponse.Parser.ParseFrom(await queue.RunAsync(new Core.ReverseTransaction(message), cancel));
        var view = TransactionView.Of(answer.Transaction);
        return Answer.Created($"/v1/transactions/{view.Id}", view);
    }

    private sealed record Request(string Reference, IReadOnlyList<PostingView>? Postings = null);
}
