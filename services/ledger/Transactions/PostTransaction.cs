using Google.Protobuf.WellKnownTypes;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Core;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Transactions;

/// <summary>
/// POST /v1/transactions: all postings or none, balanced by construction. 201, or 422 insufficient_balance,
/// currency_mismatch, reference_reused; 409 account_frozen, account_closed.
/// </summary>
internal static class PostTransaction
{
    public static IEndpointRouteBuilder MapPostTransaction(this IEndpointRouteBuilder group)
    {
        group.MapPost("/transactions", Handle).RequireScope("ledger:write");
        return group;
    }

    private static async Task<IResult> Handle(Request request, HttpContext http, CommandQueue queue, CancellationToken cancel)
    {
        var message = new Proto.PostTransactionRequest
        {
            MerchantId = http.GetMerchant().MerchantId.ToString(),
            IdempotencyKey = IdempotentRequests.Key(http),
            Reference = request.Reference,
            Kind = request.Kind,
            EffectiveAt = request.EffectiveAt?.ToTimestamp(),
        };
        message.Postings.AddRange(request.Postings.Select(posting => posting.ToProto()));
        message.Metadata.Add(request.Metadata ?? []);
        var answer = Proto.PostTransactionResponse.Parser.ParseFrom(await queue.RunAsync(new Core.PostTransaction(message), cancel));
        var view = TransactionView.Of(answer.Transaction);
        return Answer.Created($"/v1/transactions/{view.Id}", view);
    }

    private sealed record Request(
        string Reference, string Kind, IReadOnlyList<PostingView> Postings, DateTimeOffset? EffectiveAt = null,
        Dictionary<string, string>? Metadata = null);
}
