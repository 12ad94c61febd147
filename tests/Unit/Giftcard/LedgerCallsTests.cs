using System.Collections.Concurrent;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Giftcard.Ledger;

namespace LocalPlus.Tests.Unit.Giftcard;

/// <summary>Concurrent operations share calls to the ledger, and nothing else.</summary>
public sealed class LedgerCallsTests
{
    private readonly ConcurrentQueue<(
        ExecuteBatchRequest Request,
        TaskCompletionSource<ExecuteBatchResponse> Answer
    )> sent = new();
    private readonly SemaphoreSlim sending = new(0);
    private readonly LedgerCalls calls;

    public LedgerCallsTests() =>
        calls = new(
            (request, _) =>
            {
                var answer = new TaskCompletionSource<ExecuteBatchResponse>();
                sent.Enqueue((request, answer));
                sending.Release();
                return answer.Task;
            }
        );

    [Fact]
    public async Task A_lonely_operation_goes_at_once_and_alone()
    {
        var spend = Spend("one");

        var call = await SentAsync();
        Answer(call);

        Assert.Equal(["one"], Keys(call.Request));
        Assert.Equal("one", (await spend).Spend.Spent.Reference);
    }

    [Fact]
    public async Task What_comes_while_all_calls_are_under_way_shares_the_next()
    {
        var (first, under) = await AllCallsUnderWayAsync();

        var second = Enumerable.Range(0, LedgerCalls.OperationsPerCall + 1).Select(i => Spend($"second-{i}")).ToArray();
        Answer(under[0]);
        var shared = await SentAsync();

        Assert.Equal(LedgerCalls.OperationsPerCall, shared.Request.Operations.Count);
        Answer(shared);
        Answer(await SentAsync());
        under[1..].ForEach(Answer);
        Assert.All(await Task.WhenAll([.. first, .. second]), outcome => Assert.NotNull(outcome.Spend));
    }

    [Fact]
    public async Task A_refusal_is_its_own_operation_s_and_a_lost_call_its_own_operations()
    {
        var lost = Spend("lost");
        var lostCall = await SentAsync();
        var refused = Spend("refused");
        var refusedCall = await SentAsync();

        lostCall.Answer.SetException(new LedgerUnknownException("silence", null));
        refusedCall.Answer.SetResult(
            new() { Outcomes = { new Outcome { Refusal = new() { Code = "insufficient_balance" } } } }
        );

        await Assert.ThrowsAsync<LedgerUnknownException>(() => lost);
        Assert.Equal("insufficient_balance", (await refused).Refusal.Code);
        var after = Spend("after");
        Answer(await SentAsync());
        Assert.NotNull((await after).Spend);
    }

    [Fact]
    public async Task Who_gives_up_before_it_is_sent_is_not_sent()
    {
        var (first, under) = await AllCallsUnderWayAsync();

        using var patience = new CancellationTokenSource();
        var impatient = calls.ExecuteAsync(Operation("impatient"), patience.Token);
        var patient = Spend("patient");
        await patience.CancelAsync();
        under.ForEach(Answer);
        var next = await SentAsync();
        Answer(next);

        Assert.Equal(["patient"], Keys(next.Request));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        await Task.WhenAll([.. first, patient]);
    }

    private static IEnumerable<string> Keys(ExecuteBatchRequest request) =>
        request.Operations.Select(o => o.Spend.IdempotencyKey);

    private static Operation Operation(string key) => new() { Spend = new SpendRequest { IdempotencyKey = key } };

    private static void Answer((ExecuteBatchRequest Request, TaskCompletionSource<ExecuteBatchResponse> Answer) call)
    {
        var response = new ExecuteBatchResponse();
        response.Outcomes.AddRange(
            call.Request.Operations.Select(o => new Outcome
            {
                Spend = new() { Spent = new() { Reference = o.Spend.IdempotencyKey } },
            })
        );
        call.Answer.SetResult(response);
    }

    private Task<Outcome> Spend(string key) => calls.ExecuteAsync(Operation(key), CancellationToken.None);

    private async Task<(
        Task<Outcome>[],
        List<(ExecuteBatchRequest, TaskCompletionSource<ExecuteBatchResponse>)>
    )> AllCallsUnderWayAsync()
    {
        var (first, under) = (
            new List<Task<Outcome>>(),
            new List<(ExecuteBatchRequest, TaskCompletionSource<ExecuteBatchResponse>)>()
        );
        for (var i = 0; i < LedgerCalls.CallsAtOnce; i++)
        {
            // One after the other: those that come together would share a call.
            first.Add(Spend($"first-{i}"));
            under.Add(await SentAsync());
        }

        return ([.. first], under);
    }

    private async Task<(ExecuteBatchRequest Request, TaskCompletionSource<ExecuteBatchResponse> Answer)> SentAsync()
    {
        await sending.WaitAsync();
        Assert.True(sent.TryDequeue(out var call));
        return call;
    }
}
