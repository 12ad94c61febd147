using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class FairAdmissionTests : IDisposable
{
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(50);
    private readonly MerchantId flood = MerchantId.New(TimeProvider.System);
    private readonly MerchantId other = MerchantId.New(TimeProvider.System);
    private readonly ManualTime time = new();
    private readonly FairAdmission door;

    public FairAdmissionTests() => door = new(time);

    public void Dispose() => door.Dispose();

    [Fact]
    public void As_many_are_let_in_as_the_bound_says_and_the_next_waits_for_a_place()
    {
        Fill(flood);
        var next = Enter(flood);
        Assert.False(next.IsCompleted);

        door.Leave(flood, Quick, isUnanswered: false);

        Assert.Equal((AdmissionLimits.UnderWayMost, 0), (door.Now.UnderWay, door.Now.Waiting));
    }

    [Fact]
    public async Task Who_waits_in_vain_is_refused_when_patience_ends()
    {
        Fill(flood);
        var next = Enter(flood);

        time.Advance(AdmissionLimits.Patience);

        Assert.Equal(Entry.Full, await next);
        Assert.Equal(0, door.Now.Waiting);
    }

    [Fact]
    public async Task Nobody_waits_who_would_wait_longer_than_patience()
    {
        Learn(perSecond: 10);
        Fill(flood);

        Assert.Equal(Entry.Full, await Enter(flood));
    }

    [Fact]
    public async Task A_flood_of_one_merchant_does_not_delay_anothers_single_request()
    {
        Fill(flood);
        var more = Enumerable.Range(0, 100).Select(_ => Enter(flood)).ToArray();

        Assert.Equal(Entry.Admitted, await Enter(other));
        Assert.DoesNotContain(more, one => one.IsCompleted);
    }

    [Fact]
    public async Task A_flood_of_one_merchant_delays_what_is_over_anothers_share_by_a_place_each()
    {
        Fill(flood);
        var more = Enumerable.Range(0, 100).Select(_ => Enter(flood)).ToArray();
        var beside = AdmissionLimits.UnderWayMost / AdmissionLimits.BoundToSharePlaces;
        Fill(other, beside);

        var next = Enter(other);
        for (var i = 0; i < beside + 2; i++)
        {
            Assert.False(next.IsCompleted);
            door.Leave(flood, Quick, isUnanswered: false);
        }

        Assert.Equal(Entry.Admitted, await next);
        _ = Assert.Single(more, one => one.IsCompleted);
    }

    [Fact]
    public async Task Places_beside_the_bound_are_few()
    {
        Fill(flood);
        var singles = Enumerable
            .Range(0, AdmissionLimits.UnderWayMost)
            .Select(_ => Enter(MerchantId.New(TimeProvider.System)))
            .ToArray();

        Assert.Equal(
            AdmissionLimits.UnderWayMost / AdmissionLimits.BoundToSharePlaces,
            singles.Count(one => one.IsCompleted)
        );
        time.Advance(AdmissionLimits.Patience);
        Assert.Equal(Entry.Full, await singles[^1]);
    }

    [Fact]
    public async Task Who_has_more_than_its_share_is_told_so_and_who_has_not_is_not()
    {
        Fill(flood);
        Fill(other, AdmissionLimits.UnderWayMost / AdmissionLimits.BoundToSharePlaces);
        var (ofFlood, ofOther) = (Enter(flood), Enter(other));

        time.Advance(AdmissionLimits.Patience);

        Assert.Equal((Entry.OverShare, Entry.Full), (await ofFlood, await ofOther));
    }

    [Fact]
    public async Task Who_has_gone_while_waiting_takes_no_place()
    {
        Fill(flood);
        using var gone = new CancellationTokenSource();
        var left = Enter(flood, gone.Token);
        var next = Enter(flood);
        await gone.CancelAsync();

        door.Leave(flood, Quick, isUnanswered: false);

        Assert.NotEqual(Entry.Admitted, await left);
        Assert.Equal(Entry.Admitted, await next);
        Assert.Equal(AdmissionLimits.UnderWayMost, door.Now.UnderWay);
    }

    [Fact]
    public void No_place_is_given_again_that_silence_has_taken()
    {
        Fill(flood);
        var next = Enter(flood);

        for (var i = 1; i < AdmissionLimits.UnderWayMost; i++)
        {
            door.Leave(flood, Quick, isUnanswered: true);
        }

        Assert.False(next.IsCompleted);
        Assert.Equal((1, 1), (door.Now.Bound, door.Now.UnderWay));
    }

    [Fact]
    public async Task Another_merchant_gets_in_beside_the_last_place_that_silence_has_left()
    {
        Fill(flood);
        for (var i = 1; i < AdmissionLimits.UnderWayMost; i++)
        {
            door.Leave(flood, Quick, isUnanswered: true);
        }

        var single = Enter(other);

        Assert.Equal((1, 2), (door.Now.Bound, door.Now.UnderWay));
        Assert.Equal(Entry.Admitted, await single);
    }

    /// <summary>Has the door know the rate that the service has.</summary>
    private void Learn(int perSecond)
    {
        Fill(flood);
        _ = Enter(flood);
        time.Advance(AdmissionLimits.Patience);
        for (var i = 0; i < perSecond - 1; i++)
        {
            door.Leave(flood, Quick, isUnanswered: false);
        }

        time.Advance(AdmissionLimits.LongestWindow - AdmissionLimits.Patience);
        door.Leave(flood, Quick, isUnanswered: false);
    }

    private void Fill(MerchantId merchant)
    {
        while (door.Now.UnderWay < door.Now.Bound)
        {
            Assert.True(Enter(merchant).IsCompleted);
        }
    }

    private void Fill(MerchantId merchant, int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            Assert.True(Enter(merchant).IsCompleted);
        }
    }

    private Task<Entry> Enter(MerchantId merchant, CancellationToken gone = default) =>
        door.EnterAsync(merchant, gone).AsTask();
}
