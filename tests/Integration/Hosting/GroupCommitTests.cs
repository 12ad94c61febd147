using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Hosting;

public sealed class GroupCommitTests : IAsyncLifetime
{
    /// <summary>What is written is asked about, not how fast.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly OutboxSignal signal = new();
    private readonly ConcurrentQueue<int> batches = [];
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;
    private TaskCompletionSource gate = Open();

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("hosting", typeof(GroupCommitTests).Assembly);
        source = NpgsqlDataSource.Create(database.ConnectionString);
        await database.AsOwnerAsync(
            "CREATE TABLE numbers (number int PRIMARY KEY CHECK (number >= 0)); GRANT SELECT, INSERT ON numbers TO hosting"
        );
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Fact]
    public async Task Each_caller_gets_the_result_of_its_own_item()
    {
        var commit = Commit(source);

        var results = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(i => commit.WriteAsync(i, CancellationToken.None))
        );

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => -i), results);
        Assert.Equal(1000, await CountAsync());
        Assert.All(batches, size => Assert.InRange(size, 1, GroupCommit<int, int>.MaxItems));
    }

    [Fact]
    public async Task Items_that_come_one_after_another_are_never_left_waiting()
    {
        var commit = Commit(source);

        // The writer goes to rest between any two of a caller's items, and four callers meet it there.
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(caller =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < 500; i++)
                        {
                            await commit.WriteAsync((caller * 500) + i, CancellationToken.None);
                        }
                    })
                )
        );

        Assert.Equal(2000, await CountAsync());
    }

    [Fact]
    public async Task One_bad_item_fails_alone()
    {
        var commit = Commit(source);
        gate = new TaskCompletionSource();
        var first = commit.WriteAsync(0, CancellationToken.None);
        var others = Enumerable
            .Range(-1, 11)
            .Where(i => i != 0)
            .Select(i => commit.WriteAsync(i, CancellationToken.None))
            .ToArray();
        gate.SetResult();

        await first;
        var refused = await Assert.ThrowsAsync<PostgresException>(() => others[0]);
        await Task.WhenAll(others[1..]);

        Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
        Assert.Equal(10, await CountAsync());
    }

    [Fact]
    public async Task All_hear_at_once_that_the_database_is_away()
    {
        var tries = 0;
        await using var nowhere = NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={FreePort.Next()};Username=nobody;Timeout=2"
        );
        var commit = new GroupCommit<int, int>(
            new Database(nowhere, signal, TimeProvider.System),
            (_, items) =>
            {
                Interlocked.Increment(ref tries);
                return Task.FromResult(items);
            }
        );

        var writes = Enumerable.Range(0, 200).Select(i => commit.WriteAsync(i, CancellationToken.None)).ToArray();

        foreach (var write in writes)
        {
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => write);
        }

        Assert.Equal(0, tries);
    }

    [Fact]
    public async Task A_connection_that_breaks_does_not_send_the_items_a_second_time()
    {
        var commit = new GroupCommit<int, int>(
            new Database(source, signal, TimeProvider.System),
            async (db, items) =>
            {
                batches.Enqueue(items.Count);
                await gate.Task;
                await db.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())");
                return items;
            }
        );
        gate = new TaskCompletionSource();
        var writes = Enumerable.Range(0, 50).Select(i => commit.WriteAsync(i, CancellationToken.None)).ToArray();
        gate.SetResult();

        foreach (var write in writes)
        {
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => write);
        }

        Assert.Equal(50, batches.Sum());
    }

    [Fact]
    public async Task More_than_there_is_room_for_is_busy_and_the_rest_is_written()
    {
        var commit = Commit(source);
        gate = new TaskCompletionSource();
        var writes = Enumerable
            .Range(0, GroupCommit<int, int>.MaxWaiting + GroupCommit<int, int>.MaxItems + 1)
            .Select(i => commit.WriteAsync(i, CancellationToken.None))
            .ToArray();
        gate.SetResult();

        var (busy, late) = (0, 0);
        foreach (var write in writes)
        {
            try
            {
                await write;
            }
            catch (FaultException fault) when (fault.Fault == CommonFaults.Busy)
            {
                busy++;
            }
            catch (TimeoutException)
            {
                // On a slow machine the last ones wait too long; whether they were written they learn by repeating.
                late++;
            }
        }

        Assert.InRange(busy, 1, GroupCommit<int, int>.MaxItems + 1);
        Assert.InRange(await CountAsync(), writes.Length - busy - late, writes.Length - busy);
    }

    [Fact]
    public async Task Who_has_waited_too_long_hears_so_and_is_not_written_later()
    {
        var commit = Commit(source);
        gate = new TaskCompletionSource();
        var taken = commit.WriteAsync(0, CancellationToken.None);
        await Eventually.TrueAsync(() => Task.FromResult(batches.Count == 1));
        var late = commit.WriteAsync(1, CancellationToken.None);

        await Assert.ThrowsAsync<TimeoutException>(() => taken);
        await Assert.ThrowsAsync<TimeoutException>(() => late);
        gate.SetResult();
        await commit.WriteAsync(2, CancellationToken.None);

        // The first had begun, which is why giving up waiting decides nothing.
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task Who_goes_before_its_item_is_written_has_it_back()
    {
        var commit = Commit(source);
        gate = new TaskCompletionSource();
        var first = commit.WriteAsync(0, CancellationToken.None);
        await Eventually.TrueAsync(() => Task.FromResult(batches.Count == 1));
        using var gone = new CancellationTokenSource();
        var second = commit.WriteAsync(1, gone.Token);
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.SetResult();
        await first;
        await commit.WriteAsync(2, CancellationToken.None);

        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task Who_goes_while_its_item_is_written_hears_what_became_of_it()
    {
        var commit = Commit(source);
        gate = new TaskCompletionSource();
        using var gone = new CancellationTokenSource();
        var write = commit.WriteAsync(1, gone.Token);
        await Eventually.TrueAsync(() => Task.FromResult(batches.Count == 1));
        await gone.CancelAsync();
        gate.SetResult();

        Assert.Equal(-1, await write);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task What_begins_something_is_not_written_when_no_time_is_left_to_finish_it()
    {
        var commit = new GroupCommit<int, int>(
            new Database(source, signal, TimeProvider.System),
            (_, items) => Task.FromResult(items),
            begins: true
        );
        RequestDeadline.Current = new(TimeProvider.System, AdmissionLimits.LeastToBegin / 2);

        var refusal = await Assert.ThrowsAsync<FaultException>(() => commit.WriteAsync(1, CancellationToken.None));

        Assert.Equal(CommonFaults.Overloaded, refusal.Fault);
    }

    private static TaskCompletionSource Open()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }

    private GroupCommit<int, int> Commit(NpgsqlDataSource to) =>
        new(
            new Database(to, signal, TimeProvider.System),
            async (db, items) =>
            {
                batches.Enqueue(items.Count);
                await gate.Task;
                await db.ExecuteAsync("INSERT INTO numbers SELECT unnest(@Items)", new { Items = items.ToArray() });
                return [.. items.Select(item => -item)];
            },
            deadline: Patience
        );

    private Task<long> CountAsync() => database.ScalarAsync<long>("SELECT count(*) FROM numbers");
}
