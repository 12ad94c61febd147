using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>What confirm and cancel have in common: the key, the decision, the stored answer.</summary>
internal sealed class Advice(Database database, RedemptionDecider decider, RedemptionStore store, Intents intents)
{
    public Task<IResult> ConfirmAsync<TRequest>(
        HttpContext http,
        RedemptionId id,
        TRequest request,
        Money? amount,
        CancellationToken cancel
    )
    {
        new FieldChecks().Positive(amount, "/amount").ThrowIfAny();
        return TakeAsync(
            http,
            id,
            request,
            async merchant =>
            {
                if (
                    amount is { } part
                    && (await store.GetAsync(merchant, id, cancel)).Row.Order.Currency != part.Currency.Code
                )
                {
                    throw new FaultException(Faults.CurrencyMismatch, "The redemption is in another currency.");
                }

                return new DecisionRequest(Decision.Confirm, "till", amount?.MinorUnits);
            },
            cancel
        );
    }

    public Task<IResult> CancelAsync<TRequest>(
        HttpContext http,
        RedemptionId id,
        TRequest request,
        string? reason,
        CancellationToken cancel
    )
    {
        new FieldChecks().Text(reason, "/reason", GiftcardLimits.ReasonLength).ThrowIfAny();
        return TakeAsync(http, id, request, _ => Task.FromResult(new DecisionRequest(Decision.Cancel, "till")), cancel);
    }

    private async Task<IResult> TakeAsync<TRequest>(
        HttpContext http,
        RedemptionId id,
        TRequest request,
        Func<MerchantId, Task<DecisionRequest>> decide,
        CancellationToken cancel
    )
    {
        var key = RequestKey.Of(http, request);
        var prior = await intents.FindAsync(key, cancel);
        if (prior?.Answer is { } stored)
        {
            return stored;
        }

        // A key that was claimed before a crash is claimed still.
        var decision = await decide(key.Merchant);
        var settled = await decider.DecideAsync(id, key.Merchant, decision, prior is null ? key : null, cancel);
        var view = await store.ViewAsync(settled, CancellationToken.None);
        if (!settled.Row.State.Value.IsSettled())
        {
            return Answer.Accepted($"/v1/redemptions/{id}", view, view.Version);
        }

        var answer = Answer.Ok(view, view.Version);
        await using (var db = await database.BeginAsync(CancellationToken.None))
        {
            await Intents.StoreAsync(db, key.Merchant, key.Key, answer);
            await db.CommitAsync();
        }

        return answer;
    }
}
