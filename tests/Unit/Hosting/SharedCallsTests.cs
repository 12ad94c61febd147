using System.Collections.Concurrent;
using LocalPlus.Hosting;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class SharedCallsTests
{
    private const int PerCall = 8;
    private readonly ConcurrentQueue<IReadOnlyList<int>> sent = [];
    private readonly TaskCompletionSource free = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task What_comes_while_a_call_is_under_way_shares_the_next_and_is_answered_in_order()
    {
        var calls = new SharedCalls<int, string>(PerCall, 1, WhenOneFails.EachGoesAlone, AnswerAsync);
        var asked = Enumerable
            .Range(0, PerCall + 2)
            .Select(ask => calls.AskAsync(ask, CancellationToken.None))
            .ToArray();
        free.SetResult();
        Assert.Equal(Enumerable.Range(0, PerCall + 2).Select(ask => $"{ask}"), await Task.WhenAll(asked));
        Assert.True(sent.Count < asked.Length);
        Assert.All(sent, call => Assert.InRange(call.Count, 1, PerCall));
    }

    [Fact]
    public async Task Of_questions_that_share_a_call_only_the_one_that_fails_hears_of_it()
    {
        var calls = new SharedCalls<int, string>(PerCall, 1, WhenOneFails.EachGoesAlone, AnswerUnlessNegativeAsync);
        var good = Enumerable.Range(0, 3).Select(ask => calls.AskAsync(ask, CancellationToken.None)).ToArray();
        var bad = calls.AskAsync(-1, CancellationToken.None);
        free.SetResult();
        Assert.Equal(["0", "1", "2"], await Task.WhenAll(good));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => bad);
    }

    [Fact]
    public async Task A_question_whose_asker_has_gone_is_not_sent()
    {
        var calls = new SharedCalls<int, string>(PerCall, 1, WhenOneFails.AllAreTold, AnswerAsync);
        var first = calls.AskAsync(1, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var left = calls.AskAsync(2, gone.Token);
        await gone.CancelAsync();
        free.SetResult();
        Assert.Equal("1", await first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal("3", await calls.AskAsync(3, CancellationToken.None));
    }

    private async Task<IReadOnlyList<string>> AnswerAsync(IReadOnlyList<int> asks)
    {
        sent.Enqueue(asks);
        await free.Task;
        return [.. asks.Select(ask => $"{ask}")];
    }

    private async Task<IReadOnlyList<string>> AnswerUnlessNegativeAsync(IReadOnlyList<int> asks)
    {
        foreach (var ask in asks)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(ask);
        }

        return await AnswerAsync(asks);
    }
}
