using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>Who waits before whom, without a clock: what is in the queue when a writer comes.</summary>
public sealed class FairQueueTests : IDisposable
{
    private static readonly NoDoor Door = new();
    private readonly MerchantId flood = MerchantId.New(TimeProvider.System);
    private readonly MerchantId other = MerchantId.New(TimeProvider.System);
    private readonly FairQueue queue = new(perMerchant: 1_000, total: 1_500);

    public void Dispose() => queue.Dispose();

    [Fact]
    public void Fault_05_a_single_command_is_next_but_one_behind_a_thousand_of_another_merchant()
    {
        var flooding = Add(flood, 1_000);
        var single = Add(other, 1);

        Assert.Equal([flooding[0], single[0], flooding[1]], Take(3));
    }

    [Fact]
    public void Fault_05_a_merchant_that_is_full_leaves_the_others_their_places()
    {
        Add(flood, 1_000);
        var third = MerchantId.New(TimeProvider.System);
        Add(third, 500);

        Assert.Equal(Admission.MerchantFull, queue.TryAdd(Of(flood)));
        Add(other, LedgerLimits.PlacesOfEachMerchant);
        Assert.Equal(Admission.Full, queue.TryAdd(Of(other)));
        Assert.Equal(Admission.Admitted, queue.TryAdd(Of(MerchantId.New(TimeProvider.System))));
    }

    [Fact]
    public void Within_a_merchant_order_of_arrival_stays()
    {
        var (flooding, others) = (Add(flood, 3), Add(other, 2));

        Assert.Equal([flooding[0], others[0], flooding[1], others[1], flooding[2]], Take(100));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void A_batch_ends_with_the_command_that_fills_it()
    {
        var bulk = new PostTransactions(flood, [.. Enumerable.Repeat(Post(flood), 10)]);
        queue.TryAdd(new Command(Post(flood), Door, null, null));
        queue.TryAdd(new Command(bulk, Door, null, null));
        queue.TryAdd(new Command(Post(flood), Door, null, null));

        Assert.Equal(2, Take(5).Count);
        Assert.Single(Take(5));
    }

    [Fact]
    public void What_waits_is_given_out_after_the_end_and_then_everybody_hears_of_it()
    {
        var waiting = Add(flood, 2);
        queue.Close();

        Assert.Equal(Admission.Full, queue.TryAdd(Of(other)));
        Assert.Equal(waiting, Take(10));
        Assert.False(queue.Take([], 10));
        Assert.False(queue.Take([], 10));
    }

    [Fact]
    public async Task A_writer_that_waits_is_woken_by_the_first_command()
    {
        var taking = Task.Run(() => Take(10));
        var added = Add(flood, 1);

        Assert.Equal(added, await taking);
    }

    [Fact]
    public void Fault_05_dry_runs_and_bulks_queue_with_the_heaps()
    {
        Assert.False(Of(flood).IsHeap);
        Assert.True(new Command(Post(flood), Door, null, null) { IsDryRun = true }.IsHeap);
        Assert.True(new Command(Post(flood), Door, "k", null) { IsOfBulk = true }.IsHeap);
        Assert.True(new Command(new PostTransactions(flood, [Post(flood), Post(flood)]), Door, "k", null).IsHeap);
    }

    private List<Command> Take(int weight)
    {
        var batch = new List<Command>();
        Assert.True(queue.Take(batch, weight));
        return batch;
    }

    private Command[] Add(MerchantId merchant, int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    var command = Of(merchant);
                    Assert.Equal(Admission.Admitted, queue.TryAdd(command));
                    return command;
                }),
        ];

    private static Command Of(MerchantId merchant) => new(Post(merchant), Door, null, null);

    private static PostTransaction Post(MerchantId merchant) => new(merchant, new Header(null, "load"), []);

    private sealed class NoDoor : Door
    {
        public override string Name => "none";

        public override Answer Write(Result result) => new(200, []);

        public override Answer Refuse(FaultException refusal) => new(refusal.Fault.Status, []);
    }
}
