namespace LocalPlus.Tests.Crash;

/// <summary>How a cell's redemption has to end.</summary>
/// <param name="Timeline">The kinds of its noted events, in alphabetical order; its run has an end of its own.</param>
internal sealed record Ending(string State, long Captured, long Refunded, string Timeline);

/// <summary>
/// The redemption of one cell, in three parts: what is done before, the request during which somebody is killed, and
/// what the till does after. Which request it is follows from the step.
/// </summary>
/// <param name="receiver">Who is told of it; null: nobody.</param>
internal sealed class CellStory(Till till, SoldCard card, string step, string reference, Receiver? receiver = null)
{
    public const int Ordered = 3;

    private readonly string _key = Till.NewKey();

    public string Reference => reference;

    public SoldCard Card => card;

    /// <summary>The redemption's id once a till knows it.</summary>
    public string? Id { get; private set; }

    public Ending Ending =>
        step switch
        {
            "void" => new("cancelled", 0, 0, "cancel,cancelled,held"),
            "refund" => new("partially_refunded", CellRunner.Price, CellRunner.Returned, "refunded"),
            "hold" or "capture" => new("completed", CellRunner.Price, 0, "completed,confirm,held"),
            _ => new("completed", CellRunner.Price, 0, ""),
        };

    /// <summary>A batch of cards, and no redemption.</summary>
    public bool IsBatch => step == "task";

    /// <summary>Its receipt has to have gone out, in one mail however often.</summary>
    public bool IsMailed => step == "mail";

    public Receiver? Receiver => receiver;

    public bool IsDecidedAtOnce => Mode == "immediate";

    private string Mode => step is "hold" or "capture" or "void" ? "two_phase" : "immediate";

    /// <summary>What has to be there before the request: a hold, or a redemption to refund.</summary>
    public async Task BeginAsync(CancellationToken cancel)
    {
        if (step is "capture" or "void" or "refund")
        {
            var made = await till.RedeemAsync(card, Mode, CellRunner.Price, reference, Till.NewKey(), cancel);
            Id =
                made.Text("id")
                ?? throw new CliFailure(ExitCodes.Failed, $"{made.Status} {made.Body}", "./localplus test crash");
        }
    }

    /// <summary>The request under fire, repeated with its key until it is answered.</summary>
    public Task<RestAnswer> ActAsync(CancellationToken cancel) =>
        step switch
        {
            "capture" => till.ConfirmAsync(Id!, _key, cancel),
            "void" => till.CancelAsync(Id!, _key, cancel),
            "task" => till.OrderAsync(Ordered, reference, _key, cancel),
            "refund" => till.RefundAsync(Id!, CellRunner.Returned, _key, cancel),
            _ => till.RedeemAsync(card, Mode, CellRunner.Price, reference, _key, cancel),
        };

    /// <summary>What the till does with the answer.</summary>
    public async Task EndAsync(RestAnswer answer, CancellationToken cancel)
    {
        if (answer.Status is not (200 or 201 or 202))
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"the till was answered {answer.Status} {answer.Body?.ToJsonString()}",
                "./localplus test crash"
            );
        }

        Id ??= answer.Text("id");
        if (step == "hold")
        {
            await till.ConfirmAsync(Id!, Till.NewKey(), cancel);
        }
    }

    /// <summary>The same request with the same key gets the answer that it got.</summary>
    public async Task<IReadOnlyList<string>> RepeatAsync(RestAnswer first, CancellationToken cancel)
    {
        var again = await ActAsync(cancel);
        return
            again.Status == first.Status && again.Replayed && again.Body?.ToJsonString() == first.Body?.ToJsonString()
            ? []
            :
            [
                $"a repeat with the same key got {again.Status} {again.Body?.ToJsonString()} instead of {first.Status} {first.Body?.ToJsonString()}",
            ];
    }

    public async Task<bool> IsRunOverAsync(CrashStack stack, CancellationToken cancel) =>
        await stack.SqlAsync(
            "giftcard",
            $"SELECT count(*) FROM redemption_runs JOIN redemptions USING (redemption_id) WHERE reference = '{reference}' AND redemption_runs.state = 'finished'",
            cancel
        ) == "1";

    public async Task<bool> IsNotifiedAsync(CrashStack stack, CancellationToken cancel)
    {
        var id = await stack.SqlAsync(
            "giftcard",
            $"SELECT redemption_id FROM redemptions WHERE reference = '{reference}'",
            cancel
        );
        return await stack.SqlAsync(
                "notification",
                $"SELECT count(*) FROM notifications WHERE redemption_id = '{id}'",
                cancel
            ) == "1";
    }
}
